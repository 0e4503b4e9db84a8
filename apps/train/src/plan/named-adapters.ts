/** Adapters to plan for without having them. */
import { defaultTarget, type Target } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { TrainError } from '../errors';

/** What Dawn is assumed to report for an NVIDIA H200 through Vulkan: f16, subgroups of 32, matrix units, bindings just below 4 GiB. */
const h200Like: Target = {
  ...defaultTarget,
  name: 'NVIDIA H200',
  f16: true,
  subgroupSize: 32,
  subgroupMatrices: [{ M: 16, N: 16, K: 16 }],
  timestamps: true,
  memoryBytes: 139 * 2 ** 30,
  maxBindingBytes: 2 ** 32 - 4,
  maxBufferBytes: 2 ** 32 - 4,
  maxStorageBuffers: 16,
  maxWorkgroupBytes: 49152,
  maxWorkgroupInvocations: 1024,
};

/** The target of a name; `this` opens the adapter of this machine. @throws TrainError `usage` for another name */
export async function targetNamed(name: string): Promise<Target> {
  if (name === 'default') return defaultTarget;
  if (name === 'h200-like') return h200Like;
  if (name !== 'this') throw new TrainError('usage', `target "${name}" is not one of default, h200-like, this`);
  await using gpu = await openGpu();
  return gpu.target;
}
