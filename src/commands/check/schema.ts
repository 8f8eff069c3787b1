import { toJSONSchema } from 'zod/mini';
import { fileSchema } from '../../snapshot/schema.ts';

/** Where editors and programs load the schema of the latest version. Releases have it as a file. */
const id =
  'https://raw.githubusercontent.com/ml-metrics-bridge/ml-metrics-bridge/main/schema/metrics-file.schema.json';

/** The JSON Schema of the metrics file, for editors and for tests of programs that write it. */
export function fileJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = toJSONSchema(fileSchema);
  return {
    $schema,
    $id: id,
    title: 'Metrics file of ml-metrics-bridge',
    description:
      'The latest values of a training job. Replace the file by rename at every write. Every field is optional; one invalid field does not affect the others.',
    ...schema,
  };
}
