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

export interface Target {
  readonly name: string;
  readonly family: 'cpu' | 'gpu';
  readonly f16: boolean;
  /** Lanes per subgroup, when the adapter has subgroups of one fixed known size; undefined without subgroups. */
  readonly subgroupSize: number | undefined;
  /** Shapes of f16 x f16 -> f32 subgroup matrices the adapter offers. */
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

/** Bytes; buffers are bound at multiples of it on every adapter (the default limit). */
export const BINDING_ALIGNMENT = 256;

/** WebGPU's default limits and no optional feature: every kernel must be valid here. */
export const defaultTarget: Target = {
  name: 'WebGPU defaults',
  family: 'gpu',
  f16: false,
  subgroupSize: undefined,
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

/** Whether an adapter computes on the processor. */
export const isSoftwareAdapter = ({ architecture, device, description, isFallbackAdapter }: GPUAdapterInfo): boolean =>
  isFallbackAdapter || /software|llvmpipe|lavapipe|swiftshader/i.test(`${architecture} ${device} ${description}`);

/** Describes a device that was opened with the features and limits of its adapter. */
export function describeTarget({ info, features, limits }: AdapterFacts): Target {
  const software = isSoftwareAdapter(info);
  const extended = info as GPUAdapterInfo & {
    subgroupMinSize?: number;
    subgroupMaxSize?: number;
    subgroupMatrixConfigs?: Iterable<{
      componentType: string;
      resultComponentType: string;
      M: number;
      N: number;
      K: number;
    }>;
  };
  const fixed =
    features.has('subgroups') && extended.subgroupMinSize === extended.subgroupMaxSize
      ? extended.subgroupMaxSize
      : undefined;
  const matrices = features.has('chromium-experimental-subgroup-matrix')
    ? [...(extended.subgroupMatrixConfigs ?? [])]
    : [];
  return {
    name: info.description || `${info.vendor} ${info.architecture}`,
    family: software ? 'cpu' : 'gpu',
    f16: features.has('shader-f16'),
    subgroupSize: fixed,
    subgroupMatrices: matrices
      .filter((config) => config.componentType === 'f16' && config.resultComponentType === 'f32')
      .map(({ M, N, K }) => ({ M, N, K })),
    timestamps: features.has('timestamp-query'),
    memoryBytes: undefined,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBufferBytes: limits.maxBufferSize,
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
    maxWorkgroupInvocations: limits.maxComputeInvocationsPerWorkgroup,
    tuned: {},
    rates: software ? ROUGH_CPU : ROUGH_GPU,
  };
}
