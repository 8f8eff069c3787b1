import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TrainerStatus } from '../../src/bridge/notifiers/trainjob-status/status.ts';
import { createAuthority } from './certificates.ts';
import { temporaryFolder } from './file.ts';

export interface PostedStatus extends TrainerStatus {
  readonly lastUpdatedTime: string;
}

export interface StatusServer {
  readonly environment: Readonly<Record<string, string>>;
  /** What was asked, whatever was answered, as `POST 200`. */
  readonly answers: readonly string[];
  /** Bodies of the requests with a valid token. */
  readonly posted: readonly PostedStatus[];
  /** What is answered to a valid token from now on; 200 otherwise. */
  reply(answer: (response: ServerResponse) => void): void;
  renewToken(token: string): void;
  renewAuthority(): void;
  readonly caFile: string;
  readonly tokenFile: string;
}

const path = '/apis/trainer.kubeflow.org/v1alpha1/namespaces/ml/trainjobs/train/status';

/** An HTTPS server that takes the status of one TrainJob as Kubeflow Trainer's does: token, path, answers. */
export async function startStatusServer(): Promise<StatusServer> {
  const folder = temporaryFolder();
  const [caFile, tokenFile] = [join(folder, 'ca.crt'), join(folder, 'token')];
  const answers: string[] = [];
  const posted: PostedStatus[] = [];
  let token = 'secret-token-1';
  writeFileSync(tokenFile, `${token}\n`);
  let answer = (response: ServerResponse): void => void response.end('{}');
  const newIdentity = () => {
    const authority = createAuthority();
    const { private_key: key, cert_chain: cert } = authority.issue('localhost').pair;
    writeFileSync(caFile, authority.pair.cert_chain);
    return { key, cert };
  };
  const server = createServer(newIdentity(), async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    response.on('close', () =>
      answers.push(`${request.method} ${response.writableEnded ? response.statusCode : 'none'}`),
    );
    if (request.method !== 'POST' || request.url !== path) return response.writeHead(404).end();
    if (request.headers.authorization !== `Bearer ${token}`) return response.writeHead(403).end();
    posted.push(JSON.parse(Buffer.concat(chunks).toString()).trainerStatus);
    answer(response);
    return undefined;
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    environment: {
      TRAINJOB_STATUS: 'true',
      KUBEFLOW_TRAINER_SERVER_URL: `https://localhost:${(server.address() as AddressInfo).port}${path}`,
      KUBEFLOW_TRAINER_SERVER_CA_CERT: caFile,
      KUBEFLOW_TRAINER_SERVER_TOKEN: tokenFile,
    },
    answers,
    posted,
    reply(next) {
      answer = next;
    },
    renewToken(next) {
      token = next;
      writeFileSync(tokenFile, next);
    },
    renewAuthority: () => server.setSecureContext(newIdentity()),
    caFile,
    tokenFile,
  };
}
