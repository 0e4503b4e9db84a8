/** Where results on weights go while nobody says: into the folder of their run. */
import { existsSync, statSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { parseWeights, runConfig } from './find-weights';

export interface OutputPlace {
  readonly folder: string;
  /** For names, so that results on a checkpoint, or on the untrained model, stand beside those on the run: empty, or `-step-00000050`, `-untrained`. */
  readonly suffix: string;
}

/** The folder of the run, or of an import, that the weights are of. Undefined for a file that lies anywhere. */
export function placeOfOutputs(weights: string): OutputPlace | undefined {
  const { path, untrained } = parseWeights(weights);
  const config = runConfig(path);
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const place = config !== undefined ? dirname(config) : isFolder ? resolve(path) : undefined;
  if (place === undefined) return undefined;
  const below = relative('.', place) || '.';
  const folder = below.startsWith('..') ? place : below;
  const inside = relative(place, resolve(path))
    .replace(/(^|[/\\])teacher\.safetensors$/, '')
    .replace(/^checkpoints[/\\]/, '')
    .replace(/\.\w+$/, '');
  const parts = [...inside.split(sep), ...(untrained ? ['untrained'] : [])].filter(Boolean);
  return { folder, suffix: parts.map((part) => `-${part}`).join('') };
}
