/** A checkpoint, opened for its features: backbone, configuration, identity, and RASA where it has one. */

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type OfficialCheckpoint, openCheckpoint } from '@franca/checkpoint';
import { hashFile } from '@franca/evals/node';
import { initialValues } from '@franca/nn';
import { type ConfigOfWeights, finalLayerOf, vitSpecs, type WeightSource, weightsOf } from '@franca/vit';
import { TrainError } from '../errors';
import { configOfFile, type ModelOptions } from './config-of-file';
import { initStdOfRun } from './data-of-run';
import { type FoundWeights, findWeights, parseWeights } from './find-weights';
import { networkOfFile } from './network-of-file';
import { describeRasa, noRasa, notesOnRasa, planesOf, type RasaOfWeights } from './rasa-of-weights';

export interface WeightOptions extends ModelOptions {
  /** Which network of a file that holds several. */
  readonly network?: string;
  /** RASA heads to use in place of those that come with the weights; `none`: leave them out. */
  readonly rasa?: string;
}

export interface Weights extends AsyncDisposable, Pick<ConfigOfWeights, 'config' | 'assumed'> {
  readonly file: string;
  readonly read: WeightSource;
  readonly rasa: RasaOfWeights;
  /** Which model this is, for records. */
  readonly name: string;
  /** What was assumed about it, in words, for records and the screen. */
  readonly notes: readonly string[];
  /** Same text, same features as the model gives them (before planes are removed); for caches. */
  identity(): Promise<string>;
}

/**
 * Opens a file of weights (official, timm or own names; safetensors or .pth), the folder of a run or of an import, or `random:` and any of these:
 * the same architecture with initial weights, the control that every evaluation should beat.
 * @throws TrainError, CheckpointError or VitError where there is no ViT
 */
export async function openWeights(path: string, options: WeightOptions = {}): Promise<Weights> {
  const { path: trained, untrained: random } = parseWeights(path);
  const found = await findWeights(trained);
  const file = await openCheckpoint(found.file);
  try {
    const { parts, report, notes: onNetwork } = networkOfFile(file, options.network);
    const runConfig = found.configFile;
    const { config, assumed, notes } = configOfFile(file, parts.backbone, { ...options, runConfig });
    const rasa = random ? noRasa : await rasaOf(parts, found, { D: config.embedDim, chosen: options.rasa });
    const initStd = random ? initStdOfRun(path) : undefined;
    const specs = vitSpecs(config, initStd);
    const name = `${random ? 'random ' : ''}${found.name}${options.network !== undefined && report.others.length > 0 ? ` ${report.network}` : ''}`;
    const read: WeightSource = random ? (name) => initialValues(name, specs[name]!, 0) : weightsOf(parts.backbone);
    return {
      file: found.file,
      config,
      assumed,
      read,
      rasa,
      notes: [
        ...found.notes,
        ...onNetwork,
        ...notes,
        ...notesOnRasa(rasa, name),
        ...(random && assumed.includes('layerScale')
          ? [`LayerScale starts at ${config.layerScale}, as officially`]
          : []),
      ],
      name: `${name}${describeRasa(rasa)}`,
      identity: async () =>
        [
          random ? `random 0${initStd === undefined ? '' : ` ${initStd}`}` : '',
          report.others.length > 0 ? report.network : '',
          rasa.folded ? 'folded' : '',
          // heads and the resampling of positions are in no tensor
          JSON.stringify(Object.entries(config).sort()),
          await contentOf(found.file),
        ].join(' '),
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function rasaOf(
  { backbone, rasa_head: own }: OfficialCheckpoint['parts'],
  { rasaFile }: FoundWeights,
  { D, chosen }: { readonly D: number; readonly chosen: string | undefined },
): Promise<RasaOfWeights> {
  if (chosen === 'none') return noRasa;
  const folded = chosen === undefined ? await finalLayerOf(backbone) : undefined;
  if (folded) return { planes: [], folded };
  const other = chosen ?? rasaFile;
  if (other === undefined) return own.tensors.size > 0 ? { planes: await planesOf(own, D), folded: undefined } : noRasa;
  await using heads = await openCheckpoint(other);
  const { rasa_head } = networkOfFile(heads, undefined, 'give a file of RASA heads alone').parts;
  if (rasa_head.tensors.size === 0)
    throw new TrainError('file', `${other} holds no RASA heads; give a rasa_head.safetensors, or --rasa none`);
  return { planes: await planesOf(rasa_head, D), folded: undefined, fittedOn: heads.metadata.model };
}

/** Hash of a file's content; of a sharded model's index and of all shards that it names. */
async function contentOf(path: string): Promise<string> {
  if (!path.endsWith('.json')) return hashFile(path);
  const { weight_map: shards } = JSON.parse(await readFile(path, 'utf8')) as { weight_map: Record<string, string> };
  const hashes = [await hashFile(path)];
  for (const name of [...new Set(Object.values(shards))].sort()) hashes.push(await hashFile(join(dirname(path), name)));
  return hashes.join(' ');
}
