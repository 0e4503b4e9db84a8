/** A GPU for tests of kernels on subgroup matrices: the adapter's own matrices where it has some, else emulated ones. */
import type { SubgroupMatrixConfig } from '../base/target';
import type { Gpu } from '../device/gpu';
import { openGpu } from '../node';
import { withoutSubgroupMatrices } from './emulated-matrices';

/**
 * Opens the default adapter as one that has subgroup matrices of a shape: where the adapter lists that shape these are its own, else emulated. Without
 * a shape, all those of the adapter, else 8x8x8. None (`target.subgroupMatrices` is empty) where the adapter lacks f16 or subgroups of one size.
 */
export async function openMatrixGpu(config?: SubgroupMatrixConfig): Promise<Gpu> {
  const gpu = await openGpu({ target: { family: 'gpu' } });
  const { f16, subgroupSize, subgroupMatrices } = gpu.target;
  if (!f16 || subgroupSize === undefined || (!config && subgroupMatrices.length > 0)) return gpu;
  const { M, N, K } = config ?? { M: 8, N: 8, K: 8 };
  const own = subgroupMatrices.some((shape) => shape.M === M && shape.N === N && shape.K === K);
  await gpu.dispose();
  const pinned = await openGpu({ target: { family: 'gpu', subgroupMatrices: [{ M, N, K }] } });
  if (!own) emulateMatrices(pinned.device, subgroupSize);
  return pinned;
}

function emulateMatrices(device: GPUDevice, lanes: number): void {
  const createShaderModule = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) =>
    createShaderModule({ ...descriptor, code: withoutSubgroupMatrices(descriptor.code, lanes) });
}
