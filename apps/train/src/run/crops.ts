/**
 * From decoded images to the crops of a step. On a GPU the views are cut there, straight into the step's input buffers; on a software adapter, whose
 * threads are busy with the step, by the CPU twin while the step before runs.
 */
import {
  createGpuAugmenter,
  drawMultiCrop,
  type ImageBatch,
  multiCropRecipes,
  placeMultiCrop,
  renderViews,
  type ViewRecipe,
} from '@franca/data';
import type { Gpu } from '@franca/tensor';
import type { PretrainOptions } from '../config/pretrain-options';

/** Crops of one micro-batch: arrays where they were rendered on the CPU, nothing where they are in the buffers already. */
export interface Crops {
  readonly globalCrops?: Float32Array;
  readonly localCrops?: Float32Array;
}

export interface CropBuffers {
  readonly globalCrops: GPUBuffer;
  readonly localCrops: GPUBuffer | undefined;
}

export interface Cropper extends Disposable {
  /** Bytes of device memory held. */
  readonly bytes: number;
  crops(batch: ImageBatch): Crops;
}

export function createCropper(
  gpu: Gpu,
  options: Pick<PretrainOptions, 'seed' | 'crops' | 'run' | 'batch'>,
  buffers: CropBuffers,
): Cropper {
  const recipes = multiCropRecipes(options.crops);
  const device = options.run.augmentDevice === 'auto' ? gpu.target.family : options.run.augmentDevice;
  const place = (batch: ImageBatch) =>
    placeMultiCrop(
      batch.images.map(({ image, ordinal }) =>
        drawMultiCrop(recipes, image, { seed: options.seed, position: ordinal }),
      ),
    );
  if (device === 'gpu') {
    const augmenter = createGpuAugmenter(gpu.device);
    return {
      bytes: augmenter.bytes,
      crops(batch) {
        const { global, local } = place(batch);
        const images = batch.images.map(({ image }) => image);
        augmenter.render(images, [
          { views: global, output: buffers.globalCrops },
          ...(buffers.localCrops && local.length > 0 ? [{ views: local, output: buffers.localCrops }] : []),
        ]);
        return {};
      },
      [Symbol.dispose]: () => augmenter[Symbol.dispose](),
    };
  }
  const size = (count: number, recipe: ViewRecipe | undefined) =>
    recipe ? options.batch.perDevice * count * 3 * recipe.size ** 2 : 0;
  const globalCrops = new Float32Array(size(2, recipes[0]));
  const localCrops = new Float32Array(size(recipes.length - 2, recipes[2]));
  return {
    bytes: 0,
    crops(batch) {
      const { global, local } = place(batch);
      const images = batch.images.map(({ image }) => image);
      renderViews(images, global, globalCrops);
      if (local.length === 0) return { globalCrops };
      return { globalCrops, localCrops: renderViews(images, local, localCrops) };
    },
    [Symbol.dispose]: () => {},
  };
}
