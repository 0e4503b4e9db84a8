/**
 * What lies beside an ONNX file and speaks of it: how its pixels are normalised (`preprocessor_config.json`), which side and patches it is made for
 * (`config.json`). Folders of the Hugging Face hub have both above `onnx/`. Pixels reach all models normalised by ImageNet's mean and standard deviation; where a
 * file states others they are normalised again, by a factor and a shift for each channel.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { IMAGENET_NORMALISATION } from '@franca/data';
import type { PixelMap } from '@franca/onnx';
import { TrainError } from '../errors';

export interface OnnxBeside {
  /** From ImageNet's normalisation to the model's own; undefined where they are the same. */
  readonly pixels: PixelMap | undefined;
  readonly usualPatchSize: number | undefined;
  /** Side of its images in pixels. */
  readonly side: number | undefined;
  /** Which normalisation it is, in words. */
  readonly note: string;
}

type Json = Readonly<Record<string, unknown>>;
type Three = readonly [number, number, number];

/** @throws TrainError `file` where what is there is broken */
export function readOnnxBeside(file: string): OnnxBeside {
  const folder = dirname(resolve(file));
  const folders = basename(folder) === 'onnx' ? [folder, dirname(folder)] : [folder];
  const read = (name: string) => folders.map((place) => readJson(join(place, name))).find((found) => found !== undefined);
  const preprocessor = read('preprocessor_config.json');
  const config = read('config.json')?.json ?? {};
  const vision = isObject(config.vision_config) ? config.vision_config : config;
  return {
    ...(preprocessor
      ? pixelsOf(preprocessor)
      : {
          pixels: undefined,
          note: "pixels are normalised by ImageNet's mean and standard deviation: assumed, as no preprocessor_config.json lies beside the file",
        }),
    usualPatchSize: [vision.patch_size].find(isSide),
    side: [sideOf(preprocessor?.json.crop_size), sideOf(preprocessor?.json.size), vision.image_size, vision.img_size].find(isSide),
  };
}

/** A few kilobytes. */
const LIMIT = 2 ** 20;

function readJson(path: string): { readonly path: string; readonly json: Json } | undefined {
  if (!existsSync(path) || !statSync(path).isFile()) return undefined;
  const refuse = (why: string): never => {
    throw new TrainError('file', `${path} ${why}; mend it, or take it away`);
  };
  if (statSync(path).size > LIMIT) return refuse('is too large for a configuration');
  try {
    const json: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isObject(json) ? { path, json } : refuse('holds no object');
  } catch (error) {
    if (error instanceof SyntaxError) return refuse('is no JSON');
    throw error;
  }
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const isSide = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

/** Of `224`, `{ height, width }` or `{ shortest_edge }`. */
const sideOf = (size: unknown): unknown => (isObject(size) ? (size.shortest_edge ?? size.height) : size);

/** `(v factor - mean) / std` of v from 0 to 255, as a map of what ImageNet's normalisation gives. */
function pixelsOf({ path, json }: { readonly path: string; readonly json: Json }): Pick<OnnxBeside, 'pixels' | 'note'> {
  const { do_rescale: rescaled = true, do_normalize: normalised = true } = json;
  const factor = rescaled ? (json.rescale_factor ?? 1 / 255) : 1;
  if (typeof factor !== 'number' || !(factor > 0))
    throw new TrainError('file', `${path}: rescale_factor is ${JSON.stringify(factor)}; expected a number above 0`);
  const mean = normalised ? three(path, 'image_mean', json.image_mean, Number.NEGATIVE_INFINITY) : ([0, 0, 0] as const);
  const std = normalised ? three(path, 'image_std', json.image_std, 0) : ([1, 1, 1] as const);
  const usual = IMAGENET_NORMALISATION;
  const map = (of: (channel: number) => number): Three => [of(0), of(1), of(2)];
  const scale = map((c) => (255 * factor * usual.std[c]!) / std[c]!);
  const shift = map((c) => (255 * factor * usual.mean[c]! - mean[c]!) / std[c]!);
  const isUsual = scale.every((value) => Math.abs(value - 1) < SAME) && shift.every((value) => Math.abs(value) < SAME);
  if (isUsual)
    return { pixels: undefined, note: `pixels are normalised by ImageNet's mean and standard deviation, as ${path} says` };
  const from = factor === 1 ? ' of 0 to 255' : '';
  const by = normalised ? `by mean ${mean.join(', ')} and standard deviation ${std.join(', ')}${from}` : `not, but scaled${from || ' to 0 to 1'}`;
  return { pixels: { scale, shift }, note: `pixels are normalised ${by}, as ${path} says` };
}

/** Differences of rounding: 1/255 is written with seven digits. */
const SAME = 1e-4;

function three(path: string, name: string, value: unknown, above: number): Three {
  if (Array.isArray(value) && value.length === 3 && value.every((each) => Number.isFinite(each) && each > above))
    return value as unknown as Three;
  throw new TrainError('file', `${path}: ${name} is ${JSON.stringify(value) ?? 'absent'}; expected three numbers`);
}
