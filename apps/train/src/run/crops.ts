/**
 * From decoded images to the crops of a step. On a GPU the views are cut there, straight into the step's input buffers; on a software adapter, whose
 * threads are busy with the step, by the CPU twin while the step before runs.
 */
import {
  createGpuAugmenter,
  drawMultiCrop,
  GLOBAL_VIEWS,
  type LoadedBatch,
  multiCropRecipes,
  placeMultiCrop,
  renderViewsInto,
} from '@franca/data';
import type { CompiledPretrainStep } from '@franca/pretraining';
import type { Gpu } from '@franca/tensor';
import type { DerivedOptions } from '../config/derived-options';

/** Crops of one micro-batch: arrays where they were rendered on the CPU, nothing where they are in the buffers already. */
export interface Crops {
  readonly globalCrops?: Float32Array;
  readonly localCrops?: Float32Array;
}

export interface Cropper extends Disposable {
  /** Bytes of device memory held. */
  readonly bytes: number;
  /** Whether crops are written over those of the step before. */
  readonly inPlace: boolean;
  crops(batch: LoadedBatch): Crops;
  /** Compiles what a software adapter would only compile for the first batch. */
  warm(): Promise<void>;
}

type CropOptions = Pick<DerivedOptions, 'seed' | 'crops' | 'loop' | 'batch'>;

export function createCropper(
  gpu: Gpu,
  options: CropOptions,
  step: Pick<CompiledPretrainStep, 'inputBuffer'>,
): Cropper {
  const { augmentDevice } = options.loop;
  const device = augmentDevice === 'auto' ? gpu.target.family : augmentDevice;
  return device === 'gpu' ? createGpuCropper(gpu, options, step) : createCpuCropper(options);
}

function createGpuCropper(gpu: Gpu, options: CropOptions, step: Pick<CompiledPretrainStep, 'inputBuffer'>): Cropper {
  const draw = drawer(options);
  const augmenter = createGpuAugmenter(gpu.device);
  const globalCrops = step.inputBuffer('globalCrops');
  const localCrops = options.crops.local_crops_number > 0 ? step.inputBuffer('localCrops') : undefined;
  return {
    bytes: augmenter.bytes,
    inPlace: true,
    crops(batch) {
      const { images, global, local } = draw(batch);
      augmenter.render(images, [
        { views: global, output: globalCrops },
        ...(localCrops ? [{ views: local, output: localCrops }] : []),
      ]);
      return {};
    },
    warm: () => augmenter.warm(globalCrops),
    [Symbol.dispose]: () => augmenter[Symbol.dispose](),
  };
}

function createCpuCropper(options: CropOptions): Cropper {
  const draw = drawer(options);
  const { global_crops_size, local_crops_size, local_crops_number } = options.crops;
  const room = (count: number, size: number) => new Float32Array(options.batch.perDevice * count * 3 * size ** 2);
  const globalCrops = room(GLOBAL_VIEWS, global_crops_size);
  const localCrops = room(local_crops_number, local_crops_size);
  return {
    bytes: 0,
    inPlace: false,
    crops(batch) {
      const { images, global, local } = draw(batch);
      renderViewsInto(globalCrops, images, global);
      if (local.length === 0) return { globalCrops };
      renderViewsInto(localCrops, images, local);
      return { globalCrops, localCrops };
    },
    warm: async () => {},
    [Symbol.dispose]: () => {},
  };
}

/** Draws the views of a batch, each image's from a random stream of its own. */
function drawer({ seed, crops }: CropOptions) {
  const recipes = multiCropRecipes(crops);
  return (batch: LoadedBatch) => ({
    images: batch.images.map(({ image }) => image),
    ...placeMultiCrop(
      batch.images.map(({ image, ordinal }) => drawMultiCrop(recipes, image, { seed, position: ordinal })),
    ),
  });
}
