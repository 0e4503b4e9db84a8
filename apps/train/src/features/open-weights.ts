/** A checkpoint, opened for its features: backbone, configuration, identity, and RASA where it has one. */

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hashFile } from '@franca/evals/node';
import { initialValues } from '@franca/nn';
import type { Gpu } from '@franca/tensor';
import { type ConfigOfWeights, loadVit, type VitModel, vitSpecs, type WeightSource, weightsOf } from '@franca/vit';
import { configOfFile, type ModelOptions } from './config-of-file';
import { initStdOfRun } from './data-of-run';
import { type HeadOfWeights, openHead } from './find-head';
import { findRasa, rasaPlaces, untrainedRasa } from './find-rasa';
import { findWeights, parseWeights } from './find-weights';
import { openModel } from './open-model';
import { describeRasa, noRasa, type RasaOfWeights } from './rasa-of-weights';

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
  /** Which model this is, for records; `model` without RASA. */
  readonly name: string;
  readonly model: string;
  /** Step of the run that made them, where their file says. */
  readonly step?: string | undefined;
  /** What was assumed about it, in words, for records and the screen. */
  readonly notes: readonly string[];
  /** The model on a device, with RASA where it is folded. */
  load(gpu: Gpu): Promise<VitModel>;
  /** The projection head that patches were trained with, to be closed. @throws TrainError `data` where there is none */
  head(): Promise<HeadOfWeights>;
  /** Same text, same features as the model gives them (before planes are removed); for caches. */
  identity(): Promise<string>;
}

/** The same weights with other planes, or none; for weights whose RASA is not folded. */
export const withPlanes = (weights: Weights, rasa: RasaOfWeights): Weights => ({
  ...weights,
  rasa,
  name: `${weights.model}${describeRasa(rasa)}`,
  notes: [...weights.notes.filter((note) => !weights.rasa.notes.includes(note)), ...rasa.notes],
});

/**
 * Opens a file of weights (official, timm, Hugging Face or own names; safetensors or .pth), the folder of a run or of an import, a model of the hub, or `random:` and
 * any of these: the same architecture with initial weights, the control that every evaluation should beat. Planes of RASA that lie in the folder of the run are used
 * where they were fitted on exactly these weights.
 * @throws TrainError, CheckpointError or VitError where there is no ViT
 */
export async function openWeights(path: string, options: WeightOptions = {}): Promise<Weights> {
  const { path: trained, untrained: random } = parseWeights(path);
  const found = await findWeights(trained);
  const { file, parts, report, pixels, notes: onNetwork } = await openModel(found.file, options.network);
  try {
    const runConfig = found.configFile;
    const { config, assumed, notes } = configOfFile(file, parts.backbone, { ...options, runConfig });
    const initStd = random ? initStdOfRun(path) : undefined;
    const specs = vitSpecs(config, initStd);
    const model = `${random ? 'random ' : ''}${found.name}${options.network !== undefined && report.others.length > 0 ? ` ${report.network}` : ''}`;
    let content: Promise<string> | undefined;
    const identity = async ({ folded }: Pick<RasaOfWeights, 'folded'>) => {
      content ??= contentOf(found.file);
      return [
        random ? `random 0${initStd === undefined ? '' : ` ${initStd}`}` : '',
        report.others.length > 0 ? report.network : '',
        folded ? 'folded' : '',
        pixels,
        // heads and the resampling of positions are in no tensor
        JSON.stringify(Object.entries(config).sort()),
        await content,
      ].join(' ');
    };
    const read: WeightSource = random ? (name) => initialValues(name, specs[name]!, 0) : weightsOf(parts.backbone);
    const weights: Weights = {
      file: found.file,
      config,
      assumed,
      read,
      rasa: noRasa,
      notes: [
        ...found.notes,
        ...onNetwork,
        ...notes,
        ...(random && assumed.includes('layerScale')
          ? [`LayerScale starts at ${config.layerScale}, as officially`]
          : []),
      ],
      name: model,
      model,
      step: file.metadata.step,
      load: (gpu) => loadVit(gpu, { config, weights: read }),
      head: () => openHead({ untrained: random, file: found.file, parts, metadata: file.metadata, read }),
      identity: () => identity(noRasa),
      [Symbol.asyncDispose]: () => file.close(),
    };
    const places = rasaPlaces(path, found.rasaFile);
    const plain = { ...weights, embedDim: config.embedDim, backbone: parts.backbone, heads: parts.rasa_head };
    const rasa = random ? untrainedRasa(places, options.rasa) : await findRasa(plain, places, options.rasa);
    return {
      ...withPlanes(weights, rasa),
      load: (gpu) => loadVit(gpu, { config, weights: read }, { finalLayer: rasa.folded }),
      identity: () => identity(rasa),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Hash of a file's content; of a sharded model's index and of all shards that it names. */
async function contentOf(path: string): Promise<string> {
  if (!path.endsWith('.json')) return hashFile(path);
  const { weight_map: shards } = JSON.parse(await readFile(path, 'utf8')) as { weight_map: Record<string, string> };
  const hashes = [await hashFile(path)];
  for (const name of [...new Set(Object.values(shards))].sort()) hashes.push(await hashFile(join(dirname(path), name)));
  return hashes.join(' ');
}
