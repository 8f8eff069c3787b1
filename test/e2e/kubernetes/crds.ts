import { apply, kubectl } from './command.ts';

type Schema = Readonly<Record<string, unknown>>;

const any = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const object = (properties: Readonly<Record<string, Schema>>) => ({ type: 'object', properties });
const list = (items: Schema) => ({ type: 'array', items });
const mapOf = (values: Schema) => ({ type: 'object', additionalProperties: values });
const text = { type: 'string' };

/**
 * The resources of others that hold pods, in the smallest form that checks what `inject` edits. The pod template's own
 * schema is the API server's, so that a wrong field in it is refused as it is in a Job.
 */
function definitions(podTemplate: Schema, jobTemplate: Schema) {
  const replicatedJobs = list(object({ name: text, replicas: { type: 'integer' }, template: jobTemplate }));
  const jobSetSpec = object({ replicatedJobs });
  const runtimeSpec = object({ mlPolicy: any, template: object({ metadata: any, spec: jobSetSpec }) });
  const trainer = object({
    image: text,
    numNodes: { type: 'integer' },
    env: list(object({ name: text, value: text, valueFrom: any })),
  });
  const rayGroup = object({
    groupName: text,
    replicas: { type: 'integer' },
    rayStartParams: any,
    template: podTemplate,
  });
  const rayCluster = object({ headGroupSpec: rayGroup, workerGroupSpecs: list(rayGroup) });
  const replica = object({ replicas: { type: 'integer' }, restartPolicy: text, template: podTemplate });
  const kubeflowJob = (kind: string, replicas: string, version = 'v1') =>
    crd('kubeflow.org', version, kind, {
      ...object({ [replicas]: mapOf(replica) }),
      'x-kubernetes-preserve-unknown-fields': true,
    });
  const rayJob = object({
    entrypoint: text,
    shutdownAfterJobFinishes: { type: 'boolean' },
    rayClusterSpec: rayCluster,
  });
  const wrapped = { ...any, 'x-kubernetes-embedded-resource': true };
  return [
    crd('jobset.x-k8s.io', 'v1alpha2', 'JobSet', jobSetSpec),
    kubeflowJob('PyTorchJob', 'pytorchReplicaSpecs'),
    kubeflowJob('TFJob', 'tfReplicaSpecs'),
    kubeflowJob('JAXJob', 'jaxReplicaSpecs'),
    kubeflowJob('XGBoostJob', 'xgbReplicaSpecs'),
    kubeflowJob('PaddleJob', 'paddleReplicaSpecs'),
    kubeflowJob('MPIJob', 'mpiReplicaSpecs', 'v2beta1'),
    crd(
      'leaderworkerset.x-k8s.io',
      'v1',
      'LeaderWorkerSet',
      object({
        replicas: { type: 'integer' },
        leaderWorkerTemplate: object({
          size: { type: 'integer' },
          restartPolicy: text,
          leaderTemplate: podTemplate,
          workerTemplate: podTemplate,
        }),
      }),
    ),
    crd(
      'workload.codeflare.dev',
      'v1beta2',
      'AppWrapper',
      object({ components: list(object({ podSets: list(any), template: wrapped })) }),
    ),
    crd('ray.io', 'v1', 'RayCluster', object({ rayVersion: text, ...rayCluster.properties })),
    crd('ray.io', 'v1', 'RayService', object({ serveConfigV2: text, rayClusterConfig: rayCluster })),
    crd('ray.io', 'v1', 'RayCronJob', object({ schedule: text, jobTemplate: rayJob })),
    crd('trainer.kubeflow.org', 'v1alpha1', 'TrainingRuntime', runtimeSpec),
    crd('trainer.kubeflow.org', 'v1alpha1', 'ClusterTrainingRuntime', runtimeSpec, 'Cluster'),
    crd('trainer.kubeflow.org', 'v1alpha1', 'TrainJob', object({ runtimeRef: any, trainer })),
    crd('ray.io', 'v1', 'RayJob', rayJob),
  ];
}

function crd(group: string, version: string, kind: string, spec: Schema, scope = 'Namespaced') {
  const singular = kind.toLowerCase();
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${singular}s.${group}` },
    spec: {
      group,
      scope,
      names: { kind, singular, plural: `${singular}s` },
      versions: [
        { name: version, served: true, storage: true, schema: { openAPIV3Schema: object({ spec }) } },
      ],
    },
  };
}

/** Installs them, and gives what takes them out again. Those that are there already are left alone. */
export async function installCrds(): Promise<() => Promise<void>> {
  const podTemplate = await schemaOf('/openapi/v3/api/v1', 'io.k8s.api.core.v1.PodTemplateSpec');
  const jobTemplate = await schemaOf('/openapi/v3/apis/batch/v1', 'io.k8s.api.batch.v1.JobTemplateSpec');
  const present = await kubectl('get', 'crd', '-o', 'name');
  const missing = definitions(podTemplate, jobTemplate).filter(
    ({ metadata }) => !present.includes(metadata.name),
  );
  const items = missing.map((it) => JSON.stringify(it)).join('\n---\n');
  if (missing.length === 0) return async () => undefined;
  await apply(items, '--server-side');
  const names = missing.map(({ metadata }) => `crd/${metadata.name}`);
  await kubectl('wait', '--for=condition=Established', '--timeout=60s', ...names);
  return async () => void (await kubectl('delete', ...names, '--ignore-not-found'));
}

async function schemaOf(path: string, name: string): Promise<Schema> {
  const { components } = JSON.parse(await kubectl('get', '--raw', path)) as {
    components: { schemas: Record<string, Schema> };
  };
  return structural(components.schemas[name] ?? {}, components.schemas);
}

const quantities = [
  'io.k8s.apimachinery.pkg.api.resource.Quantity',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
];

/** An OpenAPI schema in the form a CRD may have: without references, and only what says which values there may be. */
function structural(schema: Schema, all: Readonly<Record<string, Schema>>): Schema {
  const reference = (schema.$ref ?? (schema.allOf as Schema[] | undefined)?.[0]?.$ref) as string | undefined;
  if (reference !== undefined) {
    const name = reference.replace('#/components/schemas/', '');
    if (quantities.includes(name)) return { 'x-kubernetes-int-or-string': true };
    return structural(all[name] ?? {}, all);
  }
  const { type, format, required, properties, items, additionalProperties } = schema;
  const children = Object.entries((properties ?? {}) as Record<string, Schema>);
  if (type === 'object' && children.length === 0 && additionalProperties === undefined) return any;
  return {
    type,
    ...(format === undefined ? {} : { format }),
    ...(required === undefined ? {} : { required }),
    ...(children.length > 0
      ? { properties: Object.fromEntries(children.map(([key, value]) => [key, structural(value, all)])) }
      : {}),
    ...(items === undefined ? {} : { items: structural(items as Schema, all) }),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: structural(additionalProperties as Schema, all) }),
  };
}
