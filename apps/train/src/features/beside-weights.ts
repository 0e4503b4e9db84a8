/**
 * What other programs write beside weights: `config.json` of the transformers library or of timm, and `preprocessor_config.json`, which says how pixels are prepared.
 * Everywhere in this program pixels are normalised by ImageNet's mean and standard deviation; what a model was made for is folded into its patch embedding.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { IMAGENET_NORMALISATION } from '@franca/data';
import type { PixelNormalisation } from '@franca/vit';
import { TrainError } from '../errors';

/** A JSON object of a file that may be anything. */
export type Json = Readonly<Record<string, unknown>>;

/** How a model wants its pictures. */
export interface Preprocessing {
  /** Of pixels in [0, 1]. */
  readonly normalisation: PixelNormalisation;
  /** The file that says so. */
  readonly source: string;
  /** What it says of sizes, in words; nothing where it resizes and cuts out the centre, as evaluations do. */
  readonly resizing?: string;
}

/** These files have some kilobytes. */
const LIMIT = 2 ** 22;

/** A JSON object that lies beside a file, or in the folder above where that one is called `onnx`. @throws TrainError `file` where it is none */
export function jsonBeside(file: string, name: string): { readonly json: Json; readonly path: string } | undefined {
  const folder = dirname(file);
  const places = basename(folder) === 'onnx' ? [folder, dirname(folder)] : [folder];
  const path = places.map((place) => join(place, name)).find((place) => existsSync(place) && statSync(place).isFile());
  if (path === undefined) return undefined;
  const { size } = statSync(path);
  if (size > LIMIT) throw new TrainError('file', `${path} has ${size} bytes, which no configuration has; take it away`);
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new TrainError('file', `${path} is no JSON; write it again, or take it away`, { cause });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new TrainError('file', `${path} is no JSON object; write it again, or take it away`);
  return { json: { ...json }, path };
}

/** What lies beside weights says of pixels: `preprocessor_config.json`, else `pretrained_cfg` of timm's `config.json`. @throws TrainError `file` where it is broken */
export function preprocessingBeside(file: string): Preprocessing | undefined {
  const own = jsonBeside(file, 'preprocessor_config.json');
  if (own) return ofProcessor(own.json, own.path);
  const timm = jsonBeside(file, 'config.json');
  const { pretrained_cfg: trained } = timm?.json ?? {};
  if (!timm || typeof trained !== 'object' || trained === null || !('mean' in trained) || !('std' in trained))
    return undefined;
  return { normalisation: checked(trained.mean, trained.std, timm.path), source: timm.path };
}

function ofProcessor(json: Json, source: string): Preprocessing {
  const { rescale_factor: factor = 1 / 255, do_rescale: rescales = true, do_normalize: normalises = true } = json;
  if (rescales !== true || typeof factor !== 'number' || Math.abs(factor * 255 - 1) > 1e-6)
    throw new TrainError(
      'file',
      `${source} rescales pixels by ${rescales === true ? factor : 'nothing'}; only 1/255 is known, so this model would see other numbers than it was made for`,
    );
  const normalisation = normalises
    ? checked(json.image_mean ?? IMAGENET_NORMALISATION.mean, json.image_std ?? IMAGENET_NORMALISATION.std, source)
    : { mean: [0, 0, 0], std: [1, 1, 1] };
  const resizing = resizingOf(json);
  return { normalisation, source, ...(resizing !== undefined && { resizing }) };
}

/** Where it does something else than the usual: shorter side, then centre. */
function resizingOf({ size, do_center_crop: crops, do_resize: resizes = true }: Json): string | undefined {
  if (resizes !== true || typeof size !== 'object' || size === null) return undefined;
  if (!('height' in size) || !('width' in size) || crops === true) return undefined;
  return `whole pictures squeezed to ${size.width} x ${size.height}`;
}

function checked(mean: unknown, std: unknown, source: string): PixelNormalisation {
  const isTriple = (value: unknown): value is number[] =>
    Array.isArray(value) && value.length === 3 && value.every((one) => typeof one === 'number' && Number.isFinite(one));
  if (isTriple(mean) && isTriple(std) && std.every((one) => one > 0)) return { mean, std };
  throw new TrainError(
    'file',
    `${source}: mean ${JSON.stringify(mean)} and std ${JSON.stringify(std)}; three numbers each are expected, std above 0`,
  );
}

/** Whether a normalisation is that of ImageNet. */
export const isImageNets = ({ mean, std }: PixelNormalisation): boolean =>
  mean.join() === IMAGENET_NORMALISATION.mean.join() && std.join() === IMAGENET_NORMALISATION.std.join();
