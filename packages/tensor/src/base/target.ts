/**
 * What the kernel generator needs to know of an adapter. Two families: *cpu* adapters (lavapipe, SwiftShader), where a workgroup
 * barrier is a coroutine switch and a subgroup broadcast is one instruction, and *gpu* adapters, where the opposite holds.
 */
import { type KernelRates, ROUGH_CPU, ROUGH_GPU } from './rates';

export interface SubgroupMatrixConfig {
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** A kind of subgroup matrices as a driver lists it: what is multiplied, what it is summed in, and the shapes. */
export interface ListedMatrices extends SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
}

export interface Target {
  readonly name: string;
  readonly family: 'cpu' | 'gpu';
  readonly f16: boolean;
  /** Lanes per subgroup, where all have one known size; undefined without subgroups, or where the driver takes the size it likes. */
  readonly subgroupSize: number | undefined;
  /** Kernels that use subgroups state that size: the driver would else take one of several. */
  readonly statesSubgroupSize: boolean;
  /** Shapes of f16 x f16 -> f32 subgroup matrices the adapter offers, largest first (`matrixShapes`). */
  readonly subgroupMatrices: readonly SubgroupMatrixConfig[];
  readonly timestamps: boolean;
  /** Bytes of memory that the device has; undefined where nothing tells. */
  readonly memoryBytes: number | undefined;
  readonly maxBindingBytes: number;
  readonly maxBufferBytes: number;
  readonly maxStorageBuffers: number;
  readonly maxWorkgroupBytes: number;
  readonly maxWorkgroupInvocations: number;
  /** Kernel variants to use, by tuning key: what was measured to be fastest, or pinned by hand. */
  readonly tuned: Readonly<Record<string, string>>;
  /** What kernels are expected to take, for bounding submits and for the time of a plan. */
  readonly rates: KernelRates;
}

/**
 * Bytes of the largest buffer that is made on a GPU. One buffer is one allocation, and of these NVIDIA's Vulkan driver grants at most 4 GiB - 2 MiB
 * (`maxMemoryAllocationSize` of maintenance3), while what WebGPU passes on as `maxBufferSize` (of maintenance4) is far above.
 */
export const LARGEST_GPU_BUFFER: number = 2 ** 32 - 2 * 2 ** 20;

/** Bytes; buffers are bound at multiples of it on every adapter (the default limit). */
export const BINDING_ALIGNMENT = 256;

/** WebGPU's default limits and no optional feature: every kernel must be valid here. */
export const defaultTarget: Target = {
  name: 'WebGPU defaults',
  family: 'gpu',
  f16: false,
  subgroupSize: undefined,
  statesSubgroupSize: false,
  subgroupMatrices: [],
  timestamps: false,
  memoryBytes: undefined,
  maxBindingBytes: 128 * 2 ** 20,
  maxBufferBytes: 256 * 2 ** 20,
  maxStorageBuffers: 8,
  maxWorkgroupBytes: 16384,
  maxWorkgroupInvocations: 256,
  tuned: {},
  rates: ROUGH_GPU,
};

/** What a `GPUAdapter` or a `GPUDevice` says of itself. */
export interface AdapterFacts {
  readonly info: GPUAdapterInfo;
  readonly features: ReadonlySet<string>;
  readonly limits: GPUSupportedLimits;
}

/** What adapters are called that compute on the processor. */
export const SOFTWARE_NAME: RegExp = /software|llvmpipe|lavapipe|swiftshader|basic render/i;

/** Whether an adapter computes on the processor. */
export const isSoftwareAdapter = ({ architecture, device, description, isFallbackAdapter }: GPUAdapterInfo): boolean =>
  isFallbackAdapter || SOFTWARE_NAME.test(`${architecture} ${device} ${description}`);

/** All kinds of subgroup matrices, in the driver's own order. */
export const listedMatrices = (info: GPUAdapterInfo): readonly ListedMatrices[] => [
  ...((info as GPUAdapterInfo & { subgroupMatrixConfigs?: Iterable<ListedMatrices> }).subgroupMatrixConfigs ?? []),
];

/**
 * The shapes of f16 matrices that are summed in f32, the one of the largest product first, of equal ones that of the larger K, then M: what is
 * chosen must not depend on the order in which a driver lists them.
 */
export const matrixShapes = (listed: readonly ListedMatrices[]): SubgroupMatrixConfig[] =>
  listed
    .filter(({ componentType, resultComponentType }) => componentType === 'f16' && resultComponentType === 'f32')
    .map(({ M, N, K }) => ({ M, N, K }))
    .sort((a, b) => b.M * b.N * b.K - a.M * a.N * a.K || b.K - a.K || b.M - a.M);

/** What an adapter is called: a software adapter by its driver, a GPU by the card, which its driver's description leaves out, and the driver. */
function nameOf(info: GPUAdapterInfo): string {
  const { vendor, architecture, device, description } = info;
  const parts = isSoftwareAdapter(info) || description.includes(device) ? [description] : [device, description];
  return parts.filter(Boolean).join(', ') || `${vendor} ${architecture}`;
}

/**
 * Describes a device that was opened with the features and limits of its adapter. AMD's cards run a kernel in 32 or in 64 lanes as the driver likes, or as the
 * kernel states: 64, the size that their drivers multiply matrices by. Where others leave a choice nothing is stated: Intel's matrices are made for
 * the size that the driver takes.
 */
export function describeTarget({ info, features, limits }: AdapterFacts): Target {
  const software = isSoftwareAdapter(info);
  const { subgroupMinSize, subgroupMaxSize } = info as GPUAdapterInfo & {
    subgroupMinSize?: number;
    subgroupMaxSize?: number;
  };
  const statesSubgroupSize = info.vendor === 'amd' && features.has('subgroup-size-control');
  const oneSize = statesSubgroupSize || (features.has('subgroups') && subgroupMinSize === subgroupMaxSize);
  const hasMatrices = features.has('chromium-experimental-subgroup-matrix');
  const capped = (bytes: number): number => (software ? bytes : Math.min(bytes, LARGEST_GPU_BUFFER));
  return {
    name: nameOf(info),
    family: software ? 'cpu' : 'gpu',
    f16: features.has('shader-f16'),
    subgroupSize: oneSize ? subgroupMaxSize : undefined,
    statesSubgroupSize,
    subgroupMatrices: hasMatrices ? matrixShapes(listedMatrices(info)) : [],
    timestamps: features.has('timestamp-query'),
    memoryBytes: undefined,
    maxBindingBytes: capped(limits.maxStorageBufferBindingSize),
    maxBufferBytes: capped(limits.maxBufferSize),
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
    maxWorkgroupInvocations: limits.maxComputeInvocationsPerWorkgroup,
    tuned: {},
    rates: software ? ROUGH_CPU : ROUGH_GPU,
  };
}
