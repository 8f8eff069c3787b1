/** The names of the blocks of README.md that tests run as they are written. */
export const readmeBlocks = ['laptop', 'compose', 'compose-down', 'kubernetes', 'inject'] as const;

/** The same for docs/kubernetes.md. These need the Collector of `k8s/`, which `start` brings up and `delete` deletes. */
export const stackBlocks = ['start', 'inject', 'admission', 'submit', 'trainjob', 'delete'] as const;

/** Overlays that are applied instead of `k8s/`, and deleted in the same way. */
export const overlayBlocks = ['kube-prometheus', 'large'] as const;

export const kubernetesBlocks = [...stackBlocks, 'chart', ...overlayBlocks, 'distributed', 'bucket'] as const;
