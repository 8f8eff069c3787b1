import type { Attributes } from '@opentelemetry/api';
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { v5 as uuidv5 } from 'uuid';
import { runAttributes } from '../catalogue/metrics.ts';
import type { Config } from '../config/bridge.ts';

/** Random namespace of the instance ids. It must never change, because the ids would change with it. */
const namespace = '6f7d5f0e-2f0c-4d8b-9a44-5f7c2f3c8f1b';

/**
 * The resource of everything that is exported. It always has a `service.instance.id`, because without it two pods
 * behind one Collector would overwrite each other's series. The id is the same after a restart, which continues the
 * series.
 */
export function bridgeResource(config: Config, hostName: string, version: string): Resource {
  const configured = config.resourceAttributes;
  return defaultResource().merge(
    resourceFromAttributes({
      'service.version': version,
      'service.instance.id': instanceId(configured, hostName, config.metricsFilePath),
      ...configured,
      'service.name': config.serviceName ?? configured['service.name'] ?? 'ml-metrics-bridge',
    }),
  );
}

/** Source: OpenTelemetry semantic conventions, service attributes, service.instance.id in Kubernetes. */
function instanceId(attributes: Readonly<Record<string, string>>, hostName: string, path: string): string {
  const parts = [
    attributes[runAttributes.namespace],
    attributes['k8s.pod.name'],
    attributes['k8s.container.name'],
  ];
  return parts.every((part) => part) ? parts.join('.') : uuidv5(`${hostName}:${path}`, namespace);
}

/** Attributes of the resource that every data point has too: the Collector does not make labels of a resource's attributes. */
export function pointAttributes({ attributes }: Resource): Attributes {
  const { namespace } = runAttributes;
  return attributes[namespace] === undefined ? {} : { [namespace]: attributes[namespace] };
}
