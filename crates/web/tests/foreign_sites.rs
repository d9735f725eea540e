//! What other sites can have a browser do to the page of a user who is logged in.

mod support;

use support::serve;
use web::Limits;

#[tokio::test]
async fn a_foreign_host_is_refused_whatever_it_asks_for() {
    let alice = serve(Limits::default()).await;
    let cookie = alice.log_in().await;
    let port = alice.page.port();
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1", "localhost", "127.0.0.1:1", ""] {
        let host = format!("Host: {host}");
        for request in ["GET /", "GET /main.js", "GET /login", "POST /logout"] {
            let own = alice.own();
            let answer = alice.ask(request, &[&host, &cookie, &own[0], &own[1]], "").await;
            assert_eq!(answer.status(), 403, "{host} {request}");
        }
    }
    let twice = [format!("Host: 127.0.0.1:{port}"), "Host: evil.example".to_owned()];
    assert!(matches!(alice.ask("GET /", &[&twice[0], &twice[1]], "").await.status(), 400 | 403));
    let local = format!("Host: localhost:{port}");
    assert_eq!(alice.ask("GET /", &[&local], "").await.status(), 200);
    assert!(alice.is_logged_in(&cookie).await);
}

#[tokio::test]
async fn a_websocket_opens_for_the_page_itself_alone() {
    let alice = serve(Limits::default()).await;
    let cookie = alice.log_in().await;
    let port = alice.page.port();
    for origin in [
        "http://evil.example".to_owned(),
        "null".to_owned(),
        format!("https://127.0.0.1:{port}"),
        // Another page of this machine, and another name of this one: cookies do not tell them apart.
        "http://127.0.0.1:1".to_owned(),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1:{port}.evil.example"),
    ] {
        let origin = format!("Origin: {origin}");
        assert_eq!(alice.open_as(&[&cookie, &origin]).await.err(), Some(403), "{origin}");
    }
    assert_eq!(alice.open_as(&[&cookie]).await.err(), Some(403), "no origin at all");
    let own = alice.own();
    assert_eq!(alice.open_as(&[&own[0]]).await.err(), Some(401), "no cookie");
    let foreign = [format!("Host: evil.example:{port}"), format!("Origin: http://evil.example:{port}")];
    assert_eq!(alice.open_as(&[&cookie, &foreign[0], &foreign[1]]).await.err(), Some(403), "a rebound name");
    assert!(alice.open(&cookie).await.is_ok());
}

#[tokio::test]
async fn a_form_of_another_site_logs_nobody_in_or_out() {
    let alice = serve(Limits::default()).await;
    let cookie = alice.log_in().await;
    let code = alice.code().await;
    let own = alice.own();
    let foreign = "Origin: http://127.0.0.1:1".to_owned();
    for headers in [&[][..], &[&own[0]], &[&own[1]], &[&foreign, &own[1]]] {
        let headers: Vec<&str> = headers.iter().map(|header| header.as_str()).chain([cookie.as_str()]).collect();
        for (request, body) in [("POST /login", code.as_str()), ("POST /logout", "")] {
            assert_eq!(alice.ask(request, &headers, body).await.status(), 403, "{request} {headers:?}");
        }
    }
    assert!(alice.is_logged_in(&cookie).await);
    assert_eq!(alice.post("/login", &[], &code).await.status(), 204, "the code was not used up");
}

#[tokio::test]
async fn every_answer_forbids_the_browser_what_the_page_does_not_need() {
    let alice = serve(Limits::default()).await;
    for path in ["/", "/style.css", "/main.js", "/icon.svg", "/login", "/nothing", "/../etc/passwd"] {
        let answer = alice.ask(&format!("GET {path}"), &[], "").await;
        let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("{path}: {answer:?}"));
        for part in ["default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path} {name}");
        }
    }
    assert_eq!(alice.ask("GET /nothing", &[], "").await.status(), 404);
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere_and_makes_no_html_of_texts() {
    let alice = serve(Limits::default()).await;
    let [page, enter] = [alice.ask("GET /", &[], "").await, alice.ask("GET /enter", &[], "").await];
    let files = ["main", "wire", "state", "kept", "dom", "messages", "lists", "composer", "account", "enter", "used"];
    let mut texts = vec![("index.html".to_owned(), page.0), ("enter.html".to_owned(), enter.0)];
    for file in files {
        let answer = alice.ask(&format!("GET /{file}.js"), &[], "").await;
        assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"), "{file}");
        texts.push((file.to_owned(), answer.0));
    }
    for (file, text) in texts {
        for bad in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " style=", " onclick="] {
            assert!(!text.contains(bad), "{file}: {bad}");
        }
        for from in ["src=\"http", "href=\"http", "from \"http", "import(\""] {
            assert!(!text.contains(from), "{file}: {from}");
        }
    }
}
