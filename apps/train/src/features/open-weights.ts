/** A checkpoint, opened for its features: backbone, configuration, identity, and RASA where it has one. */

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hashFile } from '@franca/evals/node';
import { initialValues } from '@franca/nn';
import { loadVit, vitSpecs, type WeightSource, weightsOf } from '@franca/vit';
import { configOfFile } from './config-of-file';
import { initStdOfRun } from './data-of-run';
import { openHead } from './find-head';
import { findRasa, rasaPlaces, untrainedRasa } from './find-rasa';
import { findWeights, parseWeights } from './find-weights';
import { isOnnx, openOnnxWeights, refuseOnnxOptions } from './onnx-weights';
import { openModel } from './open-model';
import { noRasa, type RasaOfWeights } from './rasa-of-weights';
import { type WeightOptions, type Weights, withPlanes } from './weights';

/**
 * Opens a file of weights (official, timm, Hugging Face or own names; safetensors or .pth; or ONNX), the folder of a run or of an import, a model of the hub, or `random:` and
 * any of these: the same architecture with initial weights, the control that every evaluation should beat. Planes of RASA that lie in the folder of the run are used
 * where they were fitted on exactly these weights.
 * @throws TrainError, CheckpointError or VitError where there is no ViT
 */
export async function openWeights(path: string, options: WeightOptions = {}): Promise<Weights> {
  const { path: trained, untrained: random } = parseWeights(path);
  const found = await findWeights(trained);
  if (isOnnx(found.file)) return openOnnxWeights({ ...found, untrained: random }, options);
  refuseOnnxOptions(found.file, options);
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
