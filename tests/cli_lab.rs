//! `gclab lab`: what its server gives, refuses, and goes on giving.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server on a free port, ended with the test.
struct Lab {
    child: Child,
    address: String,
}

impl Lab {
    fn start() -> Lab {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("gclab"))
            .args(["lab", "--port", "0", "--at-once", "2"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
        Lab { child, address }
    }

    /// Sends a whole request and gives the whole response.
    fn exchange(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // A server that refuses a long body may close before all of it is sent.
        let _ = stream.write_all(request);
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        String::from_utf8_lossy(&response).into_owned()
    }

    fn get(&self, path: &str, host: &str) -> String {
        self.exchange(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())
    }

    fn post(&self, body: &str) -> String {
        let head = format!(
            "POST /api/lab HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            self.address,
            body.len()
        );
        self.exchange([head.as_bytes(), body.as_bytes()].concat().as_slice())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SMALL: &str = r#"{"run":{"name":"slice-pins-array","points":20}}"#;

/// A run that goes on until it is cut off.
fn endless() -> String {
    let text = "title = 't'\nquestion = 'q'\nanswer = 'a'\nvars = { m = 'map[int]int' }\n\
                steps = [ { repeat = { times = 9_000_000, steps = [ { compute = '1s' } ] } } ]";
    serde_json::json!({ "run": { "name": "endless", "text": text } }).to_string()
}

#[test]
fn the_page_is_served_with_a_policy_that_asks_nobody_else() {
    let lab = Lab::start();
    let page = lab.get("/", "127.0.0.1");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'; script-src 'self';"), "{page}");
    assert!(page.contains("<title>gclab</title>"));
    assert!(lab.get("/main.js", "127.0.0.1").contains("text/javascript"));
    assert!(lab.get("/carrier.json", "localhost").contains(r#"{"carrier":"server"}"#));
    assert!(lab.get("/../Cargo.toml", "127.0.0.1").starts_with("HTTP/1.1 404"));
    assert!(lab.post(SMALL).contains(r#""run":{"name":"slice-pins-array""#));
}

#[test]
fn other_sites_and_wrong_requests_are_refused() {
    let lab = Lab::start();
    assert!(lab.get("/", "evil.example").starts_with("HTTP/1.1 403"));
    let plain = format!(
        "POST /api/lab HTTP/1.1\r\nHost: {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{SMALL}",
        lab.address,
        SMALL.len()
    );
    assert!(lab.exchange(plain.as_bytes()).starts_with("HTTP/1.1 415"));
    assert!(
        lab.exchange(b"DELETE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 405")
    );
    assert!(lab.post("{").contains("the request is not understood"));
    assert!(lab.post(SMALL).contains("slice-pins-array"), "and it still works");
}

#[test]
fn a_body_of_a_hundred_megabytes_is_not_read() {
    let lab = Lab::start();
    let head = format!(
        "POST /api/lab HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n",
        lab.address
    );
    let mut stream = TcpStream::connect(&lab.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let block = vec![b'x'; 64 << 10];
    let mut sent = 0;
    while sent < 100 << 20 && stream.write_all(&block).is_ok() {
        sent += block.len();
    }
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    let response = String::from_utf8_lossy(&response).into_owned();
    assert!(sent < 100 << 20 || response.starts_with("HTTP/1.1 413"), "{sent} bytes were taken: {response}");
    assert!(lab.post(SMALL).contains("slice-pins-array"), "and it still works");
}

#[test]
fn a_visitor_is_served_while_another_is_cut_off() {
    let lab = Lab::start();
    std::thread::scope(|scope| {
        let hostile = scope.spawn(|| lab.post(&endless()));
        std::thread::sleep(Duration::from_millis(50));
        let start = Instant::now();
        let served = lab.post(SMALL);
        assert!(served.contains(r#""run":{"name":"slice-pins-array""#), "{served}");
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        let refused = hostile.join().unwrap();
        assert!(refused.contains("refused") && refused.contains("cut off in"), "{refused}");
    });
}
