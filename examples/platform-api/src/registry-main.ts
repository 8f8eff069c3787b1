import { modelRegistry } from './registry.ts';
import { serve } from './serve.ts';

await serve(modelRegistry(), Number(process.env.PORT ?? '8081'));
