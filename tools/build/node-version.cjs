// Prints one line if Node is too old, instead of a stack trace. It is JavaScript, so that an old Node can run it. Node
// erases types without a flag since 22.18. On Linux, `npm ci` installs a newer Node.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Node ${process.versions.node} is too old: the scripts need Node 22.18 or newer. On Linux, npm ci installs one.`,
  );
  process.exitCode = 1;
}
