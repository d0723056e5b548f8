//! `https://` servers: trusted by a certificate authority that the user adds, over HTTP/1.1 and over HTTP/2; through a proxy.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rowcall_sim::{Http, Options, Scenario, Simulator, Tls};

use crate::command::{TestDir, ages, asking};

fn encrypted(http: Http) -> Simulator {
    let options = Options::default().with_tls(Tls::On).with_http(http);
    Simulator::start(Scenario::instant("behind a certificate"), options).expect("the simulator starts")
}

#[test]
fn a_server_is_trusted_by_the_given_authority() {
    for http in [Http::One, Http::Two] {
        let simulator = encrypted(http);
        let (url, dir) = (simulator.base_url(), TestDir::new());
        dir.write("in.txt", ages(500));
        dir.write("ca.pem", simulator.ca_pem().expect("an authority"));
        let arguments = asking("in.txt", "age int", &url);
        let ran = dir.rowcall(&[&arguments[..], &["--ca-cert", "ca.pem", "-c", "300"]].concat());
        assert_eq!((ran.code, ran.lines().len()), (Some(0), 500), "{}", ran.stderr);
        let stats = simulator.stats();
        assert_eq!(stats.requests.all, 500);

        let ran = dir.rowcall(&[&arguments[..], &["--retries", "0"]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("certificate") && ran.stderr.contains("--ca-cert"), "{}", ran.stderr);
        assert_eq!(simulator.stats().requests.all, 500, "nothing is sent to a server that is not trusted");
    }
}

/// A proxy that opens tunnels, and how many it has opened.
fn proxy() -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let tunnels = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&tunnels);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let counter = Arc::clone(&counter);
            std::thread::spawn(move || tunnel(client, &counter));
        }
    });
    (address, tunnels)
}

/// Does what one `CONNECT` asks for, until both sides have ended.
fn tunnel(mut client: TcpStream, tunnels: &AtomicU32) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let target = head.strip_prefix("CONNECT ")?.split(' ').next()?;
    let mut server = TcpStream::connect(target).ok()?;
    tunnels.fetch_add(1, Ordering::SeqCst);
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    let (mut from_client, mut to_server) = (client.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut server, &mut client);
    let _ = client.shutdown(Shutdown::Write);
    Some(())
}

#[test]
fn a_proxy_is_used_unless_the_host_is_excluded() {
    let simulator = encrypted(Http::Two);
    let (url, dir) = (simulator.base_url(), TestDir::new());
    dir.write("in.txt", ages(50));
    dir.write("ca.pem", simulator.ca_pem().expect("an authority"));
    let arguments = [&asking("in.txt", "age int", &url)[..], &["--ca-cert", "ca.pem"]].concat();
    for (excluded, uses_proxy) in [("example.com", true), ("127.0.0.1,localhost", false)] {
        let (address, tunnels) = proxy();
        let ran = dir.rowcall_with(&arguments, "", &[("HTTPS_PROXY", &address), ("NO_PROXY", excluded)]);
        assert_eq!((ran.code, ran.lines().len()), (Some(0), 50), "{}", ran.stderr);
        assert_eq!(tunnels.load(Ordering::SeqCst) > 0, uses_proxy, "NO_PROXY={excluded}");
    }
}
