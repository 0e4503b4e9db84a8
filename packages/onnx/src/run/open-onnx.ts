/**
 * An ONNX file as a model of images: CLS and patch tokens as a `VitModel` gives them, and nothing of what lies inside.
 *
 * The file says what its inputs and outputs are called, not what they mean. So one square picture is run through it, and one twice as wide where it
 * takes any size: `findOutputs` tells from their outputs which is CLS and which are the patches. The model then stands for the one block whose output it
 * gives: its configuration has depth 1, and whatever else is asked for is refused.
 */
import type { VitConfig, VitModel } from '@franca/vit';
import type { InferenceSession, OnnxValue } from 'onnxruntime-node';
import { OnnxError } from '../errors';
import { findOutputs, type Probed, type ProbedOutput } from './find-outputs';
import { floatsOf, type ImageInput, imageInput, imageTensor } from './image-input';
import { checkOptions, type OnnxOptions } from './onnx-options';
import { runner } from './run-images';
import { firstLine, importRuntime, openSession, type Runtime } from './runtime';

/** `config` says width, patch size and side; its `depth` is 1, as the file gives the output of its last block alone. */
export interface OnnxModel extends VitModel {
  /** What was found: which output is what, in words. */
  readonly notes: readonly string[];
  /** Whether there are patch tokens beside CLS; without them `patchSize` is 1. */
  readonly hasPatches: boolean;
  /** The only side of its images; undefined: all of whole patches. */
  readonly side: number | undefined;
  /** What runs it: `onnxruntime-node 1.30.0, cpu`. */
  readonly runtime: string;
  /** Releases the session, once what runs is done; `dispose` does so without waiting. */
  close(): Promise<void>;
}

const SIDE = 224;

/**
 * Opens a file and finds out what it gives; close it when done. Nothing of it is executed but its graph, and that by the runtime.
 * @throws OnnxError `runtime` where onnxruntime-node cannot be had; `model` for a file that is no model of images; `images` where it does not run at that side; `outputs` where CLS or patches cannot be told
 */
export async function openOnnx(path: string, options: OnnxOptions = {}): Promise<OnnxModel> {
  checkOptions(path, options);
  const { provider = 'cpu', threads, pixels } = options;
  const { runtime, version } = await importRuntime();
  const session = await openSession(runtime, path, { provider, threads });
  try {
    const input = imageInput(path, session.inputMetadata);
    const probed = await probe(path, { runtime, session, input }, options.side);
    const found = findOutputs(probed, options);
    const side = input.side ?? (probed.wide ? undefined : probed.side);
    const patchSize = found.patches?.patchSize ?? 1;
    const config: VitConfig = {
      embedDim: found.dim,
      depth: 1,
      numHeads: 1,
      imgSize: probed.side,
      patchSize,
      mlpRatio: 4,
      ffnLayer: 'mlp',
      numRegisterTokens: 0,
      layerScale: undefined,
      interpolateOffset: 0,
      interpolateAntialias: false,
    };
    const mixes = await mixesImages({ runtime, session, input }, probed);
    const run = runner({ runtime, session, input: mixes ? { ...input, batch: 1 } : input, found, pixels, side });
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closing ??= run.settled().then(() => session.release());
      return closing;
    };
    const dispose = (): void => void close();
    return {
      config,
      run: run.features,
      prepare: async () => undefined,
      notes: [
        describe(found),
        ...found.notes,
        ...(side === undefined ? [] : [`it takes images of ${side} px alone`]),
        ...(mixes ? ['images are run one by one: in a batch, what it gives of one depends on the others'] : []),
      ],
      hasPatches: found.patches !== undefined,
      side,
      runtime: `onnxruntime-node ${version}, ${provider}`,
      close,
      dispose,
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

/** What is found, in words. */
function describe({ cls, patches }: ReturnType<typeof findOutputs>): string {
  const vector = { vector: cls.name, token: `the first token of ${cls.name}`, mean: `the mean of ${cls.name}` }[
    cls.kind
  ];
  if (!patches) return `CLS: ${vector}; no patches`;
  const { kind, name, prefix, patchSize } = patches;
  const without = prefix > 0 ? ` without its first ${prefix === 1 ? 'token' : `${prefix} tokens`}` : '';
  return `CLS: ${vector}; patches: ${kind === 'maps' ? 'the maps ' : ''}${name}${without}, ${patchSize} px each`;
}

interface OpenSession {
  readonly runtime: Runtime;
  readonly session: InferenceSession;
  readonly input: ImageInput;
}

/** What a picture that is no picture gives, and one twice as wide. */
async function probe(path: string, open: OpenSession, wanted = SIDE): Promise<Probed> {
  const { input } = open;
  const { side = wanted } = input;
  const square = await outputsOf(open, [1, 3, side, side]).catch((cause: Error) => {
    throw new OnnxError(
      'images',
      `${path} does not run on a picture of ${side} x ${side} pixels: ${firstLine(cause.message)}; name the side that it is made for by the option side`,
      { cause },
    );
  });
  const wide =
    input.side === undefined ? await outputsOf(open, [1, 3, side, 2 * side]).catch(() => undefined) : undefined;
  return { side, square, wide };
}

/** The outputs of the first of several pictures that are none, each stronger than the one before. */
async function outputsOf(
  { runtime, session, input }: OpenSession,
  shape: readonly [B: number, channels: 3, H: number, W: number],
): Promise<ProbedOutput[]> {
  const each = 3 * shape[2] * shape[3];
  const data = Float32Array.from(
    { length: shape[0] * each },
    (_, i) => (1 + 7 * Math.floor(i / each)) * Math.sin(i % each),
  );
  const feed = imageTensor(runtime, input, { data, shape }, { first: 0, pixels: undefined });
  const results = await session.run({ [input.name]: feed });
  return Object.entries(results).flatMap(([name, tensor]) => firstOf(name, tensor, input.batch ?? shape[0]));
}

/** Beyond what the order of sums does, in f16 too. */
const MIXED = 1e-2;

/** Whether a picture comes out otherwise beside another one, as where activations are quantised with one scale for the whole batch. */
async function mixesImages(open: OpenSession, { side, square }: Probed): Promise<boolean> {
  if (open.input.batch !== undefined) return false;
  const beside = await outputsOf(open, [2, 3, side, side]).catch((): ProbedOutput[] => []);
  return square.some(({ name, data }) => {
    const [alone, other] = [data, beside.find((output) => output.name === name)?.data].map((values) =>
      Array.from(values ?? []),
    );
    const largest = alone!.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return other!.some((value, i) => Math.abs(value - alone![i]!) > MIXED * largest);
  });
}

/** An output of floats with what it gives for the first image of its batch; none for anything else. */
function firstOf(name: string, tensor: OnnxValue, batch: number): ProbedOutput[] {
  if (!('dims' in tensor) || !['float32', 'float16'].includes(tensor.type)) return [];
  const [images, ...each] = tensor.dims;
  if (images !== batch || each.length === 0) return [];
  const values = floatsOf(name, tensor);
  return [{ name, shape: [1, ...each], data: values.subarray(0, values.length / batch) }];
}
