//! `https://` servers: trusted by a certificate authority that the user adds, over HTTP/1.1 and over HTTP/2.

use rowcall_sim::{Http, Options, Scenario, Simulator, Tls};

use crate::command::{Workplace, ages, asking};

fn encrypted(http: Http) -> Simulator {
    let options = Options::default().with_tls(Tls::On).with_http(http);
    Simulator::start(Scenario::instant("behind a certificate"), options).expect("the simulator starts")
}

#[test]
fn a_server_is_trusted_by_the_authority_that_is_given() {
    for http in [Http::One, Http::Two] {
        let simulator = encrypted(http);
        let (url, place) = (simulator.base_url(), Workplace::new());
        place.write("in.txt", ages(500));
        place.write("ca.pem", simulator.ca_pem().expect("an authority"));
        let arguments = asking("in.txt", "age int", &url);
        let ran = place.rowcall(&[&arguments[..], &["--ca-cert", "ca.pem", "-c", "300"]].concat());
        assert_eq!((ran.code, ran.lines().len()), (Some(0), 500), "{}", ran.stderr);
        let stats = simulator.stats();
        assert_eq!(stats.requests.all, 500);

        let ran = place.rowcall(&[&arguments[..], &["--retries", "0"]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("certificate") && ran.stderr.contains("--ca-cert"), "{}", ran.stderr);
        assert_eq!(simulator.stats().requests.all, 500, "nothing is sent to a server that is not trusted");
    }
}
