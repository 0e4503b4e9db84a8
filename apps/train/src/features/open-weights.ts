/** A checkpoint, opened for its features: backbone, configuration, identity, and RASA where it has one. */

import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { openCheckpoint, splitOfficial, type TensorFile } from '@franca/checkpoint';
import { fingerprintFiles, hashFile } from '@franca/evals/node';
import { initialValues } from '@franca/nn';
import { configOfWeights, type VitConfig, vitSpecs, type WeightSource } from '@franca/vit';
import { deriveVit } from '../config/derive';
import { loadConfig } from '../config/load';
import { type FoundWeights, findWeights } from './find-weights';
import { describeRasa, FOLDED, noRasa, planesOf, type RasaOfWeights } from './rasa-of-weights';

export interface WeightOptions {
  /** Attention heads, where they are not 64 wide and no run's configuration says. */
  readonly heads?: number;
  readonly network?: 'teacher' | 'student';
  /** RASA heads to use in place of those that come with the weights; `none`: leave them out. */
  readonly rasa?: string;
}

export interface Weights extends AsyncDisposable {
  readonly file: string;
  readonly config: VitConfig;
  readonly read: WeightSource;
  readonly rasa: RasaOfWeights;
  /** Which model this is, for records. */
  readonly name: string;
  /** What was assumed about it, in words, for records and the screen. */
  readonly notes: readonly string[];
  /** Same text, same features as the model gives them (before planes are removed); for caches. */
  identity(): Promise<string>;
}

const RANDOM = 'random:';

/**
 * Opens a file of weights (official, timm or own names; safetensors or .pth), the folder of a run or of an import, or `random:` and any of these:
 * the same architecture with initial weights, the control that every evaluation should beat.
 * @throws TrainError, CheckpointError or VitError where there is no ViT
 */
export async function openWeights(path: string, options: WeightOptions = {}): Promise<Weights> {
  const random = path.startsWith(RANDOM);
  const found = await findWeights(random ? path.slice(RANDOM.length) : path);
  const file = await openCheckpoint(found.file);
  try {
    const { parts } = splitOfficial(file, options.network ? { network: options.network } : {});
    const { tensors } = parts.backbone;
    const config = configOfWeights(Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape])), {
      ...ofRun(found),
      ...(options.heads === undefined ? {} : { numHeads: options.heads }),
    });
    const rasa = random ? noRasa : await rasaOf(file, found, config.embedDim, options.rasa);
    const specs = vitSpecs(config);
    const read: WeightSource = random
      ? (name) => initialValues(name, specs[name]!, [0, 0])
      : (name) => (tensors.has(name) ? parts.backbone.readFloat32(name) : undefined);
    return {
      file: found.file,
      config,
      read,
      rasa,
      notes: [],
      name: `${random ? 'random ' : ''}${found.name}${describeRasa(rasa)}`,
      identity: async () =>
        [
          random ? 'random 0' : '',
          options.network ?? '',
          rasa.folded ? 'folded' : '',
          await contentOf(found.file),
        ].join(' '),
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What shapes cannot tell and the run's configuration does. */
function ofRun({ configFile }: FoundWeights): Partial<VitConfig> {
  if (!configFile) return {};
  const { numHeads, interpolateOffset, interpolateAntialias } = deriveVit(loadConfig([configFile]).config);
  return { numHeads, interpolateOffset, interpolateAntialias };
}

async function rasaOf(
  file: TensorFile,
  { rasaFile }: FoundWeights,
  D: number,
  chosen: string | undefined,
): Promise<RasaOfWeights> {
  if (chosen === 'none') return noRasa;
  if (chosen === undefined && file.tensors.has(FOLDED.weight)) {
    const folded = { weight: await file.readFloat32(FOLDED.weight), bias: await file.readFloat32(FOLDED.bias) };
    return { planes: [], folded };
  }
  const other = chosen ?? rasaFile;
  if (other === undefined) {
    const own = splitOfficial(file).parts.rasa_head;
    return own.tensors.size > 0 ? { planes: await planesOf(own, D), folded: undefined } : noRasa;
  }
  await using heads = await openCheckpoint(other);
  return { planes: await planesOf(splitOfficial(heads).parts.rasa_head, D), folded: undefined };
}

/** A sharded model is known by its shards' names, sizes and times; one file by its content. */
async function contentOf(path: string): Promise<string> {
  if (!path.endsWith('.json')) return hashFile(path);
  const folder = dirname(path);
  const shards = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
  return `${await hashFile(path)} ${await fingerprintFiles(folder, shards.sort())}`;
}
