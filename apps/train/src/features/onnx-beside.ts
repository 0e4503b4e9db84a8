/**
 * What an ONNX file does not say itself and files beside it may: how its pixels are normalised, and the side of its images and patches. Pixels reach all models
 * normalised by ImageNet's mean and standard deviation; where another normalisation is stated they are normalised again, by a factor and a shift for each channel.
 */
import { IMAGENET_NORMALISATION } from '@franca/data';
import type { PixelMap } from '@franca/onnx';
import { isImageNets, jsonBeside, type Preprocessing, preprocessingBeside } from './beside-weights';

export interface BesideOnnx {
  /** From ImageNet's normalisation, which pixels have here, to the model's own. */
  readonly pixels: PixelMap | undefined;
  readonly patchSize: number | undefined;
  readonly side: number | undefined;
  readonly notes: readonly string[];
}

/** @throws TrainError `file` where what is there is broken */
export function readBesideOnnx(file: string): BesideOnnx {
  const said = preprocessingBeside(file);
  const { vision_config: vision, ...config } = jsonBeside(file, 'config.json')?.json ?? {};
  const own: Readonly<Record<string, unknown>> = isObject(vision) ? vision : config;
  const { crop_size: crop, size } = jsonBeside(file, 'preprocessor_config.json')?.json ?? {};
  return {
    patchSize: [own.patch_size].find(isSide),
    side: [sideOf(crop), sideOf(size), own.image_size, own.img_size].find(isSide),
    ...(said
      ? { pixels: pixelMap(said.normalisation), notes: [normalisedAs(said), ...(said.resizing ? [asksFor(said)] : [])] }
      : { pixels: undefined, notes: [ASSUMED] }),
  };
}

const ASSUMED =
  'no preprocessor_config.json lies beside the ONNX file: pixels are normalised by mean and std of ImageNet';

const normalisedAs = ({ normalisation: { mean, std }, source }: Preprocessing): string =>
  `pixels: mean ${mean.join(', ')} and std ${std.join(', ')} (${source})`;

const asksFor = ({ source, resizing }: Preprocessing): string =>
  `${source} asks for ${resizing}; pictures are prepared as the evaluation says, like those of other models`;

function pixelMap(normalisation: Preprocessing['normalisation']): PixelMap | undefined {
  if (isImageNets(normalisation)) return undefined;
  const { mean: from, std: by } = IMAGENET_NORMALISATION;
  const each = (of: (channel: number) => number) => [of(0), of(1), of(2)] as const;
  const { mean, std } = normalisation;
  return { scale: each((c) => by[c]! / std[c]!), shift: each((c) => (from[c]! - mean[c]!) / std[c]!) };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isSide = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

/** Of `224`, `{ height, width }` or `{ shortest_edge }`. */
const sideOf = (size: unknown): unknown => (isObject(size) ? (size.shortest_edge ?? size.height) : size);
