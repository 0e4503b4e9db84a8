/**
 * An ONNX file as weights: a backbone of any kind, of which evaluations read the output. What it gives is found by `openOnnx`; what it does not give (its inside,
 * a head, an untrained twin) is refused in words.
 */
import { basename, dirname } from 'node:path';
import { hashFile } from '@franca/evals/node';
import { filesOfOnnx, OnnxError, type OnnxModel, openOnnx } from '@franca/onnx';
import type { FeatureRequest, Features, ImageBatch, VitModel } from '@franca/vit';
import { TrainError } from '../errors';
import { findRasa } from './find-rasa';
import type { FoundWeights } from './find-weights';
import { readBesideOnnx } from './onnx-beside';
import { noRasa } from './rasa-of-weights';
import { type WeightOptions, type Weights, withPlanes } from './weights';

export const isOnnx = (file: string): boolean => file.toLowerCase().endsWith('.onnx');

/** Options that have no meaning for an ONNX file, and those that have none for other weights, as they are written. */
const OF_WEIGHTS = { network: '--network', heads: '--heads', interpolateOffset: '--interpolate-offset' } as const;
const OF_ONNX = { outputs: '--outputs', patchSize: '--patch-size', provider: '--provider' } as const;

/** @throws TrainError `usage` where options are given that speak of ONNX alone */
export const refuseOnnxOptions = (file: string, options: WeightOptions): void =>
  refuseGiven(OF_ONNX, options, `is for ONNX files, which ${file} is not`);

function refuseGiven<Name extends keyof WeightOptions>(
  names: Readonly<Record<Name, string>>,
  options: WeightOptions,
  why: string,
): void {
  const given = (Object.keys(names) as Name[]).find((name) => options[name] !== undefined);
  if (given !== undefined) throw new TrainError('usage', `${names[given]} ${why}; leave it out`);
}

/**
 * Opens the file, and finds out by a run or two what it gives; close it when done.
 * @throws TrainError `usage` for options that it has no use for; `file` where what lies beside it is broken; OnnxError
 */
export async function openOnnxWeights(
  { file, name: given, rasaFile, notes, untrained }: FoundWeights & { readonly untrained: boolean },
  options: WeightOptions,
): Promise<Weights> {
  if (untrained)
    throw new TrainError('usage', `${file} is ONNX, which says nothing of initial weights: random: is for other files`);
  refuseGiven(OF_WEIGHTS, options, 'says nothing of an ONNX file, which brings all of its model');
  if (options.interpolateAntialias !== undefined)
    throw new TrainError('usage', '--interpolate-antialias says nothing of an ONNX file; leave it out');
  const files = await filesOfOnnx(file);
  const { pixels, ...beside } = readBesideOnnx(file);
  const { outputs, patchSize, provider, size } = options;
  const found = { outputs, patchSize, provider, usualPatchSize: beside.patchSize, side: size ?? beside.side, pixels };
  const model = await openOnnx(file, found).catch((error: unknown) => {
    throw error instanceof OnnxError ? withOptions(file, error) : error;
  });
  try {
    const name = given === 'model' ? nameOf(file) : given;
    let content: Promise<string> | undefined;
    const identity = async (): Promise<string> => {
      content ??= Promise.all(files.map((each) => hashFile(each))).then((hashes) => hashes.join(' '));
      const [told] = model.notes;
      return ['onnx', model.runtime, told, pixels ? JSON.stringify(pixels) : '', await content].join(' ');
    };
    const weights: Weights = {
      file,
      config: model.config,
      assumed: [],
      read: async () => undefined,
      rasa: noRasa,
      name,
      model: name,
      outputAlone: {
        what: 'the ONNX file',
        ...{ hasPatches: model.hasPatches, hasPatchMean: model.hasPatches, side: model.side },
        patchesBy: '--outputs patches=<name> names patches',
      },
      notes: [...notes, `ONNX by ${model.runtime}`, ...model.notes, ...beside.notes],
      load: async () => asVit(model),
      head: () => {
        throw new TrainError('data', `${file} is ONNX and has no projection head; take --prototypes k-means`);
      },
      identity,
      [Symbol.asyncDispose]: model.close,
    };
    const nothing = { tensors: new Map(), metadata: {}, readFloat32: never, read: never };
    const plain = { ...weights, embedDim: model.config.embedDim, backbone: nothing, heads: nothing };
    return withPlanes(weights, await findRasa(plain, { beside: rasaFile, ofRun: undefined }, options.rasa));
  } catch (error) {
    await model.close();
    throw error;
  }
}

const never = (): never => {
  throw new TrainError('file', 'an ONNX file has no tensors by name');
};

/** Files of the hub are all called `model`: the folder tells them apart. */
function nameOf(file: string): string {
  const folder = dirname(file);
  return basename(basename(folder) === 'onnx' ? dirname(folder) : folder);
}

/** How the command line says what the error asks for. */
const HOW: Partial<Readonly<Record<OnnxError['code'], string>>> = {
  outputs: '; here: --outputs cls=<name>,patches=<name>, --patch-size <px>',
  images: '; here: --size <px>',
};

const withOptions = (file: string, { code, message }: OnnxError): TrainError =>
  new TrainError('file', `${message.startsWith(file) ? '' : `${file}: `}${message}${HOW[code] ?? ''}`);

/** The model as evaluations run it: what it refuses is a matter of the evaluation. It is closed with the weights. */
function asVit(model: OnnxModel): VitModel {
  async function run<R extends FeatureRequest = Record<never, never>>(
    images: ImageBatch,
    request?: R,
  ): Promise<Features<R>> {
    return model.run(images, request).catch((error: unknown) => {
      throw error instanceof OnnxError ? new TrainError('data', error.message, { cause: error }) : error;
    });
  }
  const dispose = (): void => undefined;
  return { config: model.config, run, prepare: model.prepare, dispose, [Symbol.dispose]: dispose };
}
