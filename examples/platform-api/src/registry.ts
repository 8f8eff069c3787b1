import express, { type Express } from 'express';

/** A model that can be trained further. */
export interface Model {
  readonly name: string;
  readonly version: string;
  readonly uri: string;
  readonly image: string;
}

const models: readonly Model[] = [
  {
    name: 'llama-3-8b',
    version: '1.2',
    uri: 's3://models/llama-3-8b/1.2',
    image: 'registry.example.com/llama:1.2',
  },
  {
    name: 'resnet-50',
    version: '2.0',
    uri: 's3://models/resnet-50/2.0',
    image: 'registry.example.com/resnet:2.0',
  },
];

/** The model registry, a separate service. */
export function modelRegistry(): Express {
  const app = express();
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  app.get('/models/:name', (request, response) => {
    const model = models.find(({ name }) => name === request.params.name);
    if (model === undefined) response.status(404).json({ error: 'there is no such model' });
    else response.json(model);
  });
  return app;
}

/** Requests a model from the registry; undefined if it does not exist there. Rejects if the registry does not answer. */
export async function findModel(registry: string, name: string): Promise<Model | undefined> {
  const response = await fetch(new URL(`/models/${encodeURIComponent(name)}`, registry), {
    signal: AbortSignal.timeout(5000),
  });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`the model registry answered ${response.status}`);
  return (await response.json()) as Model;
}
