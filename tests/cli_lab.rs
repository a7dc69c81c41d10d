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
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        // A server that refuses a long body may close before all of it is sent.
        let _ = stream.write_all(request);
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        String::from_utf8_lossy(&response).into_owned()
    }

    /// CPU time of the server, which does not depend on what else the machine does; nothing where the system does not tell.
    fn cpu_time(&self) -> Duration {
        const TICKS_A_SECOND: u64 = 100;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // Fields behind the name in brackets; user and system time are the 12th and the 13th of them.
        let fields = stat.rsplit(')').next().unwrap_or("").split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_millis(1000 / TICKS_A_SECOND * ticks)
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

/// How long the server keeps a connection on which a client sends `first`, and then a byte from time to time.
fn patience(lab: &Lab, first: &str) -> Duration {
    let mut stream = TcpStream::connect(&lab.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    stream.write_all(first.as_bytes()).unwrap();
    let start = Instant::now();
    let mut response = [0; 4096];
    while start.elapsed() < Duration::from_secs(40) {
        let is_open = stream.write_all(b"x").is_ok();
        match stream.read(&mut response) {
            Ok(0) => return start.elapsed(),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock && is_open => {}
            Err(_) => return start.elapsed(),
        }
    }
    panic!("the connection is open after {:?}", start.elapsed());
}

#[test]
fn a_client_that_sends_a_byte_now_and_then_holds_nothing() {
    let lab = Lab::start();
    let head = format!(
        "POST /api/lab HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
        lab.address
    );
    std::thread::scope(|scope| {
        let slow_head = scope.spawn(|| patience(&lab, "GET / HTTP/1.1\r\nX-Slow: "));
        let slow_body = scope.spawn(|| patience(&lab, &head));
        let silent = scope.spawn(|| patience(&lab, ""));
        assert!(lab.post(SMALL).contains("slice-pins-array"), "others are served meanwhile");
        for (what, time) in [("head", slow_head), ("body", slow_body), ("nothing", silent)] {
            let time = time.join().unwrap();
            assert!(time < Duration::from_secs(25), "{what}: {time:?}");
        }
    });
}

#[test]
fn a_room_full_of_silent_clients_is_no_obstacle() {
    let lab = Lab::start();
    let silent: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(&lab.address).unwrap()).collect();
    assert!(lab.post(SMALL).contains("slice-pins-array"));
    drop(silent);
}

/// Scenarios that ask for far too much, and words of the answer.
fn hostile() -> [(&'static str, String, &'static str); 6] {
    let request = |vars: &str, steps: &str| {
        let text =
            format!("title = 't'\nquestion = 'q'\nanswer = 'a'\nvars = {{ {vars} }}\nsteps = [ {steps} ]");
        serde_json::json!({ "run": { "name": "hostile", "text": text } }).to_string()
    };
    [
        (
            "1e15 keys",
            request(
                "m = 'map[int]int'",
                "{ make = { var = 'm' } }, { insert = { var = 'm', keys = '0..1_000_000_000_000_000' } }",
            ),
            "mistakes",
        ),
        (
            "negative sizes",
            request("s = '[]*[8]byte'", "{ alloc = { into = 's', count = -5, size = '-1KiB' } }"),
            "mistakes",
        ),
        (
            "four billion keys",
            request(
                "m = 'map[int]int'",
                "{ make = { var = 'm' } }, { insert = { var = 'm', keys = '0..4_000_000_000' } }",
            ),
            "cut off in",
        ),
        (
            "an endless loop",
            request(
                "m = 'map[int]int'",
                "{ repeat = { times = 9_000_000, steps = [ { compute = '1s' } ] } }",
            ),
            "cut off in",
        ),
        (
            "garbage without end",
            request("m = 'map[int]int'", "{ garbage = { bytes = '128GiB', size = '16B' } }"),
            "cut off in",
        ),
        (
            "a list without end",
            request(
                "l = '*N' }\ntypes = { N = { size = '16B', pointers = 1 }",
                "{ alloc = { into = 'l', count = 500_000_000, type = 'N', shape = 'list' } }",
            ),
            "cut off in",
        ),
    ]
}

#[test]
fn hostile_scenarios_are_refused_or_cut_off_while_others_are_served() {
    let lab = Lab::start();
    for (what, request, words) in hostile() {
        let before = lab.cpu_time();
        std::thread::scope(|scope| {
            let attack = scope.spawn(|| lab.post(&request));
            let served = lab.post(SMALL);
            assert!(served.contains(r#""run":{"name":"slice-pins-array""#), "{what}: {served}");
            let refused = attack.join().unwrap();
            assert!(refused.contains(words), "{what}: {}", &refused[..refused.len().min(600)]);
        });
        let spent = lab.cpu_time() - before;
        println!("{what}: {:.2} s of CPU time", spent.as_secs_f64());
        // Seconds where it is built for speed; tests are not.
        assert!(spent < Duration::from_secs(30), "{what}: {spent:?}");
    }
}
