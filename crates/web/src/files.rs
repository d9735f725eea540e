//! The files of the page, which are part of the program. None of them is a secret.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

use crate::routes::Shared;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const FILES: [(&str, &str, &str); 23] = [
    ("/", HTML, include_str!("../page/index.html")),
    ("/style.css", CSS, include_str!("../page/style.css")),
    ("/icon.svg", SVG, include_str!("../page/icon.svg")),
    ("/main.js", JS, include_str!("../page/main.js")),
    ("/wire.js", JS, include_str!("../page/wire.js")),
    ("/state.js", JS, include_str!("../page/state.js")),
    ("/kept.js", JS, include_str!("../page/kept.js")),
    ("/dom.js", JS, include_str!("../page/dom.js")),
    ("/messages.js", JS, include_str!("../page/messages.js")),
    ("/keys.js", JS, include_str!("../page/keys.js")),
    ("/lists.js", JS, include_str!("../page/lists.js")),
    ("/composer.js", JS, include_str!("../page/composer.js")),
    ("/account.js", JS, include_str!("../page/account.js")),
    ("/account.css", CSS, include_str!("../page/account.css")),
    ("/enter", HTML, include_str!("../page/enter.html")),
    ("/enter.js", JS, include_str!("../page/enter.js")),
    ("/enter.css", CSS, include_str!("../page/enter.css")),
    ("/used.js", JS, include_str!("../page/used.js")),
    ("/delay.js", JS, include_str!("../page/delay.js")),
    ("/history.js", JS, include_str!("../page/history.js")),
    ("/notify.js", JS, include_str!("../page/notify.js")),
    ("/order.js", JS, include_str!("../page/order.js")),
    ("/search.js", JS, include_str!("../page/search.js")),
];

pub(crate) fn router() -> Router<Shared> {
    FILES.into_iter().fold(Router::new(), |router, (path, kind, text)| {
        router.route(path, get(async move || ([(CONTENT_TYPE, kind)], text)))
    })
}
