/** Asks an adapter for a device with every limit and every compute feature that it offers. */

const COMPUTE_FEATURES = [
  'shader-f16',
  'subgroups',
  'subgroup-size-control',
  'timestamp-query',
  'chromium-experimental-subgroup-matrix',
];
const COMPUTE_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
] as const;

/** A device of the adapter, for `wrapDevice`. */
export function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const offered: ReadonlySet<string> = adapter.features;
  const requiredFeatures = COMPUTE_FEATURES.filter((feature) => offered.has(feature)) as GPUFeatureName[];
  const requiredLimits = Object.fromEntries(
    COMPUTE_LIMITS.flatMap((name) => (typeof adapter.limits[name] === 'number' ? [[name, adapter.limits[name]]] : [])),
  );
  return adapter.requestDevice({ requiredFeatures, requiredLimits });
}
