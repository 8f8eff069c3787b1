// Says in one line that Node is too old, where a stack trace would have to be read. JavaScript, so that an old Node runs
// it. Types are erased without a flag since Node 22.18, and `npm ci` brings a newer Node along on Linux.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Node ${process.versions.node} is too old: the scripts need Node 22.18 or newer. On Linux, npm ci installs one.`,
  );
  process.exitCode = 1;
}
