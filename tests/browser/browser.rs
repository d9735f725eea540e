//! A headless Chromium, driven by its driver.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::peer::PATIENCE;
use crate::skip::skip;

const DRIVER: &str = "chromedriver";

/// How often the driver is started at most. It takes a free port of IPv4 and wants the same one of IPv6, so of several that are
/// started at once one may find it in use, and ends.
const STARTS: usize = 10;

/// One window of a browser of its own, without cookies. It is closed when it is dropped.
pub(crate) struct Browser {
    runtime: Runtime,
    client: Option<Client>,
    driver: Child,
    /// Where the driver listens.
    port: u16,
}

impl Browser {
    /// Starts it, or says that the test is skipped.
    pub(crate) fn start() -> Option<Self> {
        let (driver, port) = match start_driver() {
            Ok(started) => started,
            Err(error) => {
                skip("a browser (Debian's packages chromium and chromium-driver)", &format!("{DRIVER}: {error}"));
                return None;
            }
        };
        let runtime = Runtime::new().expect("there are threads");
        let options = json!({"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,800",
        ]});
        let capabilities = Map::from_iter([("goog:chromeOptions".to_owned(), options)]);
        let client = runtime
            .block_on(async {
                let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
                builder.capabilities(capabilities).connect(&format!("http://127.0.0.1:{port}")).await
            })
            .expect("the browser starts");
        Some(Self { runtime, client: Some(client), driver, port })
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("it is open until it is dropped")
    }

    pub(crate) fn go(&self, address: &str) {
        self.runtime.block_on(self.client().goto(address)).expect("it goes there");
    }

    pub(crate) fn reload(&self) {
        self.runtime.block_on(self.client().refresh()).expect("it loads the page again");
    }

    /// The value of an expression on the page.
    pub(crate) fn value(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.runtime
            .block_on(self.client().execute(&script, Vec::new()))
            .unwrap_or_else(|e| panic!("{expression}: {e}"))
    }

    /// Waits until an expression on the page is true.
    pub(crate) fn waits(&self, what: &str, expression: &str) {
        let until = Instant::now() + PATIENCE;
        while self.value(expression) != true {
            assert!(Instant::now() < until, "not on the page: {what}: {expression}\n{}", self.text("body"));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until what can be seen of an element has a text in it.
    pub(crate) fn shows(&self, selector: &str, text: &str) {
        let (selector, text) = (json!(selector), json!(text));
        let element = format!("document.querySelector({selector})");
        let expression = format!("{element}?.checkVisibility() && {element}.innerText.includes({text})");
        self.waits(&format!("{text} in {selector}"), &expression);
    }

    /// What can be seen of an element.
    pub(crate) fn text(&self, selector: &str) -> String {
        let seen = self.value(&format!("document.querySelector({})?.innerText ?? ''", json!(selector)));
        seen.as_str().unwrap_or_default().to_owned()
    }

    /// Types into an element, as a user does.
    pub(crate) fn types(&self, selector: &str, text: &str) {
        let typing = async { self.client().find(Locator::Css(selector)).await?.send_keys(text).await };
        self.runtime.block_on(typing).unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Types a line and the key that ends it.
    pub(crate) fn enters(&self, selector: &str, text: &str) {
        self.types(selector, &format!("{text}{}", char::from(Key::Enter)));
    }

    pub(crate) fn click(&self, selector: &str) {
        let clicking = async { self.client().find(Locator::Css(selector)).await?.click().await };
        self.runtime.block_on(clicking).unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Clicks the row of a list that begins with a name.
    pub(crate) fn choose(&self, list: &str, name: &str) {
        let row = format!(
            "[...document.querySelectorAll({})].find((row) => row.innerText.includes({}))",
            json!(format!("{list} .row")),
            json!(name)
        );
        self.waits(&format!("{name} in {list}"), &format!("Boolean({row})"));
        self.value(&format!("{row}.click() ?? true"));
    }

    /// Presses keys where the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let pressing = async { self.client().active_element().await?.send_keys(keys).await };
        self.runtime.block_on(pressing).unwrap_or_else(|error| panic!("{keys:?}: {error}"));
    }

    /// A command of the browser's own protocol, which WebDriver passes on.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let session = self.runtime.block_on(self.client().session_id()).expect("it is asked").expect("there is one");
        let body = json!({"cmd": command, "params": parameters}).to_string();
        let request = format!(
            "POST /session/{session}/goog/cdp/execute HTTP/1.1\r\nConnection: close\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut driver = TcpStream::connect(("127.0.0.1", self.port)).expect("the driver listens");
        driver.write_all(request.as_bytes()).expect("it takes the request");
        let mut answer = BufReader::new(driver);
        let (mut length, mut line) = (0, String::new());
        while line != "\r\n" {
            line.clear();
            assert!(
                answer.read_line(&mut line).expect("it answers with text") > 0,
                "{command}: the driver says nothing"
            );
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length is a number");
            }
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body).expect("it sends what it says");
        let answer: Value = serde_json::from_slice(&body).expect("it is JSON");
        assert!(answer["value"]["error"].is_null(), "{command}: {answer}");
        answer["value"].clone()
    }

    /// Shows the page on a screen of that size, and as somebody sees it who prefers that.
    pub(crate) fn emulate(&self, width: u32, height: u32, preferences: &[(&str, &str)]) {
        let screen = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &screen);
        let features: Vec<Value> =
            preferences.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        self.devtools("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// A picture of what can be seen, in the format PNG.
    pub(crate) fn picture(&self) -> Vec<u8> {
        self.runtime.block_on(self.client().screenshot()).expect("it takes a picture")
    }

    /// Another tab, which is in front from now on.
    pub(crate) fn open_tab(&self) {
        let opening = async {
            let tab = self.client().new_window(true).await?;
            self.client().switch_to_window(tab.handle).await
        };
        self.runtime.block_on(opening).expect("a tab opens");
    }

    /// Brings the first tab to the front.
    pub(crate) fn first_tab(&self) {
        let switching = async {
            let tabs = self.client().windows().await?;
            self.client().switch_to_window(tabs[0].clone()).await
        };
        self.runtime.block_on(switching).expect("the tab is there");
    }
}

/// A driver, and the port on which it listens.
fn start_driver() -> io::Result<(Child, u16)> {
    for _ in 0..STARTS {
        let mut driver = Command::new(DRIVER)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut output = BufReader::new(driver.stdout.take().expect("the output is piped"));
        let mut line = String::new();
        while output.read_line(&mut line)? > 0 {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                let port = port.trim().trim_end_matches('.').parse().expect("a port is a number");
                // What it writes later must go somewhere.
                std::thread::spawn(move || io::copy(&mut output, &mut io::sink()));
                return Ok((driver, port));
            }
            line.clear();
        }
        driver.wait()?;
    }
    panic!("{DRIVER} has ended {STARTS} times without a port");
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // It may have gone already.
            let _ = self.runtime.block_on(client.close());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
