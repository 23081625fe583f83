//! What the shop tells about itself.

use serde_json::{Value, json};

use super::call::Error;
use super::settings::Settings;

/// `GET /wp-json/`, which needs no key.
pub(super) fn index(settings: &Settings, site: &str) -> Value {
    let mut namespaces = vec!["oembed/1.0", "wp/v2", "wp-site-health/v1"];
    if settings.woocommerce_active {
        namespaces.extend(["wc/v1", "wc/v2", "wc/v3", "wc-analytics", "wc/store/v1"]);
    }
    json!({
        "name": "Shop",
        "description": "",
        "url": site,
        "home": site,
        "gmt_offset": 1,
        "timezone_string": settings.timezone,
        "namespaces": namespaces,
        "authentication": {},
        "routes": {"/": {"namespace": "", "methods": ["GET"]}},
        "_links": {"help": [{"href": "https://developer.wordpress.org/rest-api/"}]},
    })
}

/// `GET /wp-json/wc/v3`, which needs no key either.
pub(super) fn namespace() -> Value {
    json!({"namespace": "wc/v3", "routes": {"/wc/v3": {"methods": ["GET"]}}, "_links": {}})
}

/// `GET system_status`.
pub(super) fn system_status(settings: &Settings, site: &str) -> Value {
    json!({
        "environment": {
            "home_url": site,
            "site_url": site,
            "version": settings.version,
            "wp_version": "7.0.4",
            "php_version": "8.2.29",
            "server_info": "nginx/1.26.3",
            "default_timezone": "UTC",
        },
        "database": {"wc_database_version": settings.version},
        "active_plugins": [{"plugin": "woocommerce/woocommerce.php", "version": settings.version}],
        "theme": {"name": "Storefront"},
        "settings": {
            "api_enabled": false,
            "force_ssl": false,
            "currency": settings.currency,
            "currency_symbol": "&#8364;",
            "currency_position": "right_space",
            "thousand_separator": " ",
            "decimal_separator": settings.decimal_separator,
            "number_of_decimals": settings.number_of_decimals,
        },
        "security": {"secure_connection": settings.sees_tls, "hide_errors": true},
        "pages": [],
    })
}

/// `GET data/currencies/current`. Name and symbol are full of HTML entities.
pub(super) fn currency(settings: &Settings) -> Value {
    json!({
        "code": settings.currency,
        "name": format!("{} &amp; co", settings.currency),
        "symbol": "&#8364;",
        "_links": {"self": [], "collection": []},
    })
}

/// `GET settings/{group}/{id}`.
pub(super) fn setting(settings: &Settings, group: &str, id: &str) -> Result<Value, Error> {
    let (is_on, label, kind) = match (group, id) {
        ("products", "woocommerce_manage_stock") => {
            (settings.manage_stock, "Manage stock", "checkbox")
        }
        ("tax", "woocommerce_prices_include_tax") => {
            (settings.prices_include_tax, "Prices entered with tax", "radio")
        }
        ("general", "woocommerce_calc_taxes") => (settings.calc_taxes, "Enable taxes", "checkbox"),
        ("products" | "tax" | "general", _) => {
            return Err(Error::new(404, "rest_setting_setting_invalid", "Invalid setting."));
        }
        _ => {
            let code = "rest_setting_setting_group_invalid";
            return Err(Error::new(404, code, "Invalid setting group."));
        }
    };
    Ok(json!({
        "id": id,
        "group_id": group,
        "label": label,
        "description": "",
        "type": kind,
        "default": "no",
        "value": if is_on { "yes" } else { "no" },
        "_links": {"self": [], "collection": []},
    }))
}
