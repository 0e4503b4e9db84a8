/** A model as `Dinov2Model` or `Dinov2WithRegistersModel` of the transformers library, Python's and JavaScript's: names, configuration and how pictures are prepared. */
import { IMAGENET_NORMALISATION } from '@franca/data';
import { dinov2Files, type VitConfig, vitSpecs } from '@franca/vit';
import { centreCrop, defaultSize } from '../image-sets/preparation';
import type { ExportedWeights, ModelFile } from './model-file';

/** RASA has no place there, and is written beside. @throws VitError `config` where that architecture cannot hold the model */
export function huggingFaceFile({ config, read }: Pick<ExportedWeights, 'config' | 'read'>): Promise<ModelFile> {
  const own = vitSpecs(config);
  return dinov2Files(config, (name) => (name in own ? read(name) : undefined));
}

/** PIL's number of its bicubic filter. */
const BICUBIC = 3;

/** `preprocessor_config.json`: what classification does here, shorter side, centre, mean and deviation of ImageNet. */
export function preprocessorConfig(config: VitConfig): Readonly<Record<string, unknown>> {
  const { resize, size } = centreCrop(defaultSize(config));
  const { mean, std } = IMAGENET_NORMALISATION;
  return {
    image_processor_type: 'BitImageProcessor',
    do_convert_rgb: true,
    do_resize: true,
    size: { shortest_edge: resize },
    resample: BICUBIC,
    do_center_crop: true,
    crop_size: { height: size, width: size },
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
}
