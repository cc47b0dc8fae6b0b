//! A server of one file on loopback, with every vice that servers of large files have.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// How it serves its file.
#[derive(Clone, Copy, Default)]
pub(crate) struct Manners {
    /// Sends the whole file whatever part was asked for.
    pub(crate) ignores_ranges: bool,
    /// Hangs up after so many bytes of a body, on the first so many connections.
    pub(crate) hangs_up: Option<(usize, usize)>,
    /// Answers so, whatever was asked for.
    pub(crate) refuses: Option<&'static str>,
    /// Claims this size for its file.
    pub(crate) claims: Option<u64>,
}

/// The server; it stops with the test program.
pub(crate) struct Server {
    pub(crate) url: String,
    /// The `Range` of every request, empty where there was none.
    ranges: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(file: &[u8], manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/weights.pth", listener.local_addr().unwrap());
        let ranges = Arc::<Mutex<Vec<String>>>::default();
        let (file, seen) = (file.to_owned(), ranges.clone());
        thread::spawn(move || {
            let connections = AtomicUsize::new(0);
            for stream in listener.incoming() {
                let number = connections.fetch_add(1, Ordering::Relaxed);
                // The client may have gone away.
                let _ = serve(&stream.unwrap(), &file, manners, number, &seen);
            }
        });
        Self { url, ranges }
    }

    pub(crate) fn ranges(&self) -> Vec<String> {
        self.ranges.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: &TcpStream,
    file: &[u8],
    manners: Manners,
    number: usize,
    ranges: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut range = String::new();
    for line in BufReader::new(stream).lines() {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("range: ") {
            value.clone_into(&mut range);
        }
    }
    ranges.lock().unwrap().push(range.clone());
    if let Some(status) = manners.refuses {
        return write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    let start = range
        .strip_prefix("bytes=")
        .and_then(|range| range.strip_suffix('-')?.parse::<usize>().ok())
        .filter(|_| !manners.ignores_ranges);
    let (status, body) = match start {
        Some(start) if start < file.len() => {
            let last = file.len() - 1;
            let range = format!("Content-Range: bytes {start}-{last}/{}\r\n", file.len());
            (format!("206 Partial Content\r\n{range}"), &file[start..])
        }
        Some(_) => ("416 Range Not Satisfiable\r\n".to_owned(), &[][..]),
        None => ("200 OK\r\n".to_owned(), file),
    };
    let length = manners.claims.unwrap_or(body.len() as u64);
    write!(
        stream,
        "HTTP/1.1 {status}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    match manners.hangs_up {
        Some((after, connections)) if number < connections => {
            stream.write_all(&body[..after.min(body.len())])
        }
        _ => stream.write_all(body),
    }
}
