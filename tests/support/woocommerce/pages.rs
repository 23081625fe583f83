//! The HTML that comes where JSON should: of the shop, its web server, what stands before it.

use super::http::{Response, reason};

/// What a web server or a proxy gives with a status; for 500 the page of WordPress, which gives
/// it for every fatal error of PHP.
pub(crate) fn of_status(status: u16) -> Response {
    if status == 500 {
        return Response::html(status, wordpress_error());
    }
    let title = format!("{status} {}", reason(status));
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1>\
         </center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    Response::new(status, "text/html", body)
}

fn wordpress_error() -> String {
    page(
        "WordPress › Error",
        "<p>There has been a critical error on this website. Please check your site admin email \
         inbox for instructions.</p>",
    )
}

/// The shop's home page, which tells where its API is.
pub(crate) fn home(api_root: &str) -> Response {
    let body = page("Shop", "<h1>Welcome to the shop</h1>");
    Response::html(200, body).with("Link", format!("<{api_root}>; rel=\"https://api.w.org/\""))
}

pub(crate) fn not_found() -> Response {
    Response::html(404, page("Page not found – Shop", "<h1>Oops! That page can’t be found.</h1>"))
}

/// What a plugin that closes the shop gives for everything.
pub(crate) fn login() -> Response {
    let form = "<form name=\"loginform\" action=\"/wp-login.php\" method=\"post\"></form>";
    Response::html(200, page("Log In ‹ Shop — WordPress", form))
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head>\n<meta charset=\"UTF-8\" />\n\
         <title>{title}</title>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
}
