// The least a gRPC client is: opens one channel, says so, and stays.
import { Client, credentials } from '@grpc/grpc-js';

const target = process.env.TARGET as string;
const client = new Client(target, credentials.createInsecure());
// Node keeps compiled code when a process ends by itself.
process.once('SIGTERM', () => process.exit());
client.waitForReady(Date.now() + 10_000, (error) => {
  if (error) throw error;
  process.stdout.write('ready\n');
});
