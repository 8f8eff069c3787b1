//! The writer to copy into a training program. It needs only Rust's standard library.
use std::os::unix::fs::PermissionsExt;
use std::sync::Once;
use std::{fs, io, path::Path, process};

/// Replaces the file at `path`. The first failure is printed; a failure never stops the training.
pub fn write_metrics(path: &Path, job: &[(&str, &str)], metrics: &[(&str, f64)]) {
    static REPORTED: Once = Once::new();
    // JSON has no NaN and no infinity. The bridge reads them from text.
    let number = |value: f64| if value.is_finite() { value.to_string() } else { quoted(&value.to_string()) };
    let job = object(job.iter().map(|(name, value)| (*name, quoted(value))));
    let metrics = object(metrics.iter().map(|(name, value)| (*name, number(*value))));
    let content = format!("{{\"job_metadata\": {job}, \"training_metrics\": {metrics}}}");
    if let Err(error) = replace(path, &content) {
        REPORTED.call_once(|| eprintln!("Metrics were not written: {error}"));
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn object<'a>(fields: impl Iterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<_> = fields.map(|(name, value)| format!("{}: {value}", quoted(name))).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn replace(path: &Path, content: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // In the same folder, because a rename is atomic only within one file system.
    let temporary = folder.join(format!(".{}.tmp", process::id()));
    fs::write(&temporary, content)?;
    // The bridge usually runs as another user, which must be able to read the file.
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o644))?;
    fs::rename(&temporary, path)
}
