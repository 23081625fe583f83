//! A request as WordPress hands it to a route, and the errors that routes give.

use serde_json::{Map, Value, json};

use super::http::{Query, Response};

/// Who sent a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    Nobody,
    /// A user who may not see the shop's inside.
    Customer,
    Manager,
}

/// A request to a route of the API.
pub(super) struct Call {
    pub(super) query: Query,
    /// The body; `None` where none came, or of a type that is dropped.
    pub(super) body: Option<Value>,
    pub(super) caller: Caller,
    /// The address of the route, for `Link` headers.
    pub(super) url: String,
}

impl Call {
    /// Refuses callers who have no right to something.
    pub(super) fn may(&self, right: Right) -> Result<(), Error> {
        let status = match self.caller {
            Caller::Manager => return Ok(()),
            Caller::Customer => 403,
            Caller::Nobody => 401,
        };
        let (code, message) = match right {
            Right::List => ("woocommerce_rest_cannot_view", "Sorry, you cannot list resources."),
            Right::View => {
                ("woocommerce_rest_cannot_view", "Sorry, you cannot view this resource.")
            }
            Right::Edit => (
                "woocommerce_rest_cannot_edit",
                "Sorry, you are not allowed to edit this resource.",
            ),
            Right::Batch => (
                "woocommerce_rest_cannot_batch",
                "Sorry, you are not allowed to batch manipulate this resource.",
            ),
        };
        Err(Error::new(status, code, message))
    }
}

/// What a caller must be allowed to.
#[derive(Clone, Copy)]
pub(super) enum Right {
    List,
    View,
    Edit,
    Batch,
}

/// An error as the API gives it.
pub(super) struct Error {
    status: u16,
    code: String,
    message: String,
    /// What is in `data` beside the status.
    data: Map<String, Value>,
}

impl Error {
    pub(super) fn new(status: u16, code: &str, message: &str) -> Error {
        Error { status, code: code.to_owned(), message: message.to_owned(), data: Map::new() }
    }

    pub(super) fn authentication(message: &str) -> Error {
        Error::new(401, "woocommerce_rest_authentication_error", message)
    }

    pub(super) fn no_route() -> Error {
        let message = "No route was found matching the URL and request method.";
        Error::new(404, "rest_no_route", message)
    }

    pub(super) fn invalid_json(why: &str) -> Error {
        let mut error = Error::new(400, "rest_invalid_json", "Invalid JSON body passed.");
        error.data.insert("json_error_code".to_owned(), json!(4));
        error.data.insert("json_error_message".to_owned(), json!(why));
        error
    }

    /// Reading a product that is not there is a 404, writing to it a 400, with the same code.
    pub(super) fn no_product(status: u16) -> Error {
        Error::new(status, "woocommerce_rest_product_invalid_id", "Invalid ID.")
    }

    pub(super) fn no_variation(status: u16) -> Error {
        Error::new(status, "woocommerce_rest_product_variation_invalid_id", "Invalid ID.")
    }

    /// The error as an object, as it also stands in an item of a batch.
    pub(super) fn json(&self) -> Value {
        let mut data = self.data.clone();
        data.insert("status".to_owned(), json!(self.status));
        json!({"code": self.code, "message": self.message, "data": data})
    }

    pub(super) fn response(&self) -> Response {
        Response::json(self.status, &self.json())
    }
}

/// Parameters that have a wrong type or value: `(name, code, message)`.
#[derive(Default)]
pub(super) struct Invalid(Vec<(String, &'static str, String)>);

impl Invalid {
    pub(super) fn wrong_type(&mut self, name: &str, expected: &str) {
        self.0.push((
            name.to_owned(),
            "rest_invalid_type",
            format!("{name} is not of type {expected}."),
        ));
    }

    pub(super) fn out_of_bounds(&mut self, name: &str, must: &str) {
        self.0.push((name.to_owned(), "rest_out_of_bounds", format!("{name} must be {must}")));
    }

    pub(super) fn not_in(&mut self, name: &str, words: &[&str]) {
        let message = format!("{name} is not one of {}.", words.join(", "));
        self.0.push((name.to_owned(), "rest_not_in_enum", message));
    }

    /// The one error for all of them, if there are any.
    pub(super) fn result(self) -> Result<(), Error> {
        let names: Vec<_> = self.0.iter().map(|(name, ..)| name.as_str()).collect();
        if names.is_empty() {
            return Ok(());
        }
        let message = format!("Invalid parameter(s): {}", names.join(", "));
        let (mut params, mut details) = (Map::new(), Map::new());
        for (name, code, message) in &self.0 {
            params.insert(name.clone(), json!(message));
            let is_type = *code == "rest_invalid_type";
            let data = if is_type { json!({"param": name}) } else { Value::Null };
            let detail = json!({"code": code, "message": message, "data": data});
            details.insert(name.clone(), detail);
        }
        let mut error = Error::new(400, "rest_invalid_param", &message);
        error.data.insert("params".to_owned(), Value::Object(params));
        error.data.insert("details".to_owned(), Value::Object(details));
        Err(error)
    }
}
