import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { v5 as uuidv5 } from 'uuid';
import type { Config } from '../config/bridge.ts';

/** Names the bridge's instance ids apart from every other use of UUIDv5. Random, and never to be changed. */
const namespace = '6f7d5f0e-2f0c-4d8b-9a44-5f7c2f3c8f1b';

/**
 * Who speaks. `service.instance.id` is always there: without it two pods behind one Collector would overwrite each
 * other's series. It is the same after a restart, so that a series goes on.
 */
export function bridgeResource(config: Config, hostName: string, version: string): Resource {
  const given = config.resourceAttributes;
  return defaultResource().merge(
    resourceFromAttributes({
      'service.version': version,
      'service.instance.id': instanceId(given, hostName, config.metricsFilePath),
      ...given,
      'service.name': config.serviceName ?? given['service.name'] ?? 'ml-metrics-bridge',
    }),
  );
}

/** Source: OpenTelemetry semantic conventions, service attributes, service.instance.id in Kubernetes. */
function instanceId(given: Readonly<Record<string, string>>, hostName: string, path: string): string {
  const parts = [given['k8s.namespace.name'], given['k8s.pod.name'], given['k8s.container.name']];
  return parts.every((part) => part) ? parts.join('.') : uuidv5(`${hostName}:${path}`, namespace);
}
