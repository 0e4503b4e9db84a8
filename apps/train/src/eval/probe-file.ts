/**
 * A trained linear probe as a safetensors file, to be scored on other sets: `weight` [C, inputs], `bias` [C], and in the metadata all that a
 * number of it depends on. It is of one model, at one size, with one preparation of images: everything else is refused.
 */
import { createHash } from 'node:crypto';
import { openSafetensors, type TensorFile, writeSafetensors } from '@franca/checkpoint';
import type { Json, Outcome, Probe, ProbeInput, SelectedOn } from '@franca/evals';
import { TrainError } from '../errors';
import type { FeatureSession } from '../features/session';
import { parseJson } from '../image-sets/parse-json';

/** The model whose tokens a probe reads. */
export interface ProbeModel {
  readonly name: string;
  /** Same text, same features. */
  readonly identity: string;
  readonly dim: number;
  readonly depth: number;
  /** Side of the input. */
  readonly size: number;
}

/** How a probe came about, for the records of all that it is scored on. */
export interface ProbeOrigin extends Pick<Outcome, 'hyper' | 'selectedOn' | 'seeds'> {
  readonly dataset: string;
  readonly split: string;
  readonly notes: readonly string[];
}

export interface SavedProbe {
  readonly probe: Probe;
  /** Identifiers of the classes, such as WordNet ids, in the order of the rows. */
  readonly classes: readonly string[];
  readonly model: ProbeModel;
  /** Shorter side before the centre is cut out. */
  readonly resize: number;
  readonly origin: ProbeOrigin;
}

const FORMAT = 'franca-probe 1';
const WRITE_ONE = 'franca-train eval linear --save-probe writes one';

/** What tells this model's tokens from others'. */
export function probeModel({ weights, model, size, extraction }: FeatureSession): ProbeModel {
  const hash = createHash('sha256').update(extraction.weights);
  for (const plane of weights.rasa.planes) for (const axis of plane) hash.update(Float64Array.from(axis));
  const { embedDim: dim, depth } = model.config;
  return { name: weights.name, identity: hash.digest('hex'), dim, depth, size };
}

export async function writeProbe(path: string, { probe, ...facts }: SavedProbe): Promise<void> {
  const { name, input, classifier } = probe;
  const { data, rows, cols } = classifier.weight;
  await writeSafetensors(
    path,
    [
      { name: 'weight', dtype: 'f32', shape: [rows, cols], data },
      { name: 'bias', dtype: 'f32', shape: [rows], data: classifier.bias },
    ],
    { format: FORMAT, probe: JSON.stringify({ name, input, ...facts }) },
  );
}

/**
 * Reads a probe of this model.
 * @throws CheckpointError where the file is damaged; TrainError `data` where it is no probe, or one of another model, size or width
 */
export async function readProbe(path: string, model: ProbeModel): Promise<SavedProbe> {
  await using file = await openSafetensors(path);
  const { name, input, ...facts } = factsOf(path, file.metadata);
  checkModel(path, facts.model, model);
  const width = (input.blocks + Number(input.avgpool)) * model.dim;
  if (input.blocks > model.depth) throw no(path, `reads ${input.blocks} blocks of a model that has ${model.depth}`);
  if (facts.resize < model.size)
    throw no(path, `is a damaged probe: its "resize" is ${facts.resize}, below the ${model.size} px that are cut out`);
  const rows = facts.classes.length;
  if (new Set(facts.classes).size < rows) throw no(path, 'is a damaged probe: it has a class twice');
  const weight = await tensorOf(path, file, 'weight', [rows, width]);
  const bias = await tensorOf(path, file, 'bias', [rows]);
  return { ...facts, probe: { name, input, classifier: { weight: { data: weight, rows, cols: width }, bias } } };
}

const no = (path: string, why: string): TrainError => new TrainError('data', `${path} ${why}`);

function checkModel(path: string, { name, identity, size, dim }: ProbeModel, here: ProbeModel): void {
  if (identity !== here.identity || dim !== here.dim)
    throw no(
      path,
      `is a probe on features of ${name}, these weights are ${here.name} with other features; train one on them`,
    );
  if (size !== here.size)
    throw no(path, `is a probe on images of ${size} px, here they are ${here.size} px; give --size ${size}`);
}

async function tensorOf(path: string, file: TensorFile, name: string, shape: readonly number[]): Promise<Float32Array> {
  const there = file.tensors.get(name);
  if (there?.dtype !== 'f32' || `${there.shape}` !== `${shape}`)
    throw no(
      path,
      `is a damaged probe: ${name} should be f32 [${shape}] and is ${there ? `${there.dtype} [${there.shape}]` : 'not there'}`,
    );
  const values = await file.readFloat32(name);
  if (values.some((value) => !Number.isFinite(value)))
    throw no(path, `is a damaged probe: ${name} has values that are no finite numbers`);
  return values;
}

type Facts = Omit<SavedProbe, 'probe'> & { readonly name: string; readonly input: ProbeInput };

/** What the metadata say, each of the kind that it must be. */
function factsOf(path: string, { format, probe }: Readonly<Record<string, string>>): Facts {
  if (format !== FORMAT || probe === undefined) throw no(path, `is no linear probe; ${WRITE_ONE}`);
  const facts = fieldsOf(path, parseJson(path, new TextEncoder().encode(probe)));
  const input = facts.fields('input');
  const model = facts.fields('model');
  const origin = facts.fields('origin');
  return {
    name: facts.text('name'),
    input: { blocks: input.count('blocks'), avgpool: input.flag('avgpool') },
    classes: facts.texts('classes'),
    resize: facts.count('resize'),
    model: {
      name: model.text('name'),
      identity: model.text('identity'),
      dim: model.count('dim'),
      depth: model.count('depth'),
      size: model.count('size'),
    },
    origin: {
      dataset: origin.text('dataset'),
      split: origin.text('split'),
      notes: origin.texts('notes'),
      selectedOn: origin.oneOf('selectedOn', SELECTED_ON),
      seeds: origin.list('seeds', (seed) => typeof seed === 'number'),
      hyper: origin.object('hyper'),
    },
  };
}

const SELECTED_ON: readonly SelectedOn[] = ['nothing', 'train-holdout', 'validation', 'test'];

/** Readers of the fields of an object that nobody has checked. */
function fieldsOf(path: string, value: unknown) {
  const isRecord = (some: unknown): some is Readonly<Record<string, unknown>> =>
    typeof some === 'object' && some !== null && !Array.isArray(some);
  const read = <T>(name: string, is: (field: unknown) => field is T): T => {
    const field = isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    if (!is(field)) throw no(path, `is a damaged probe: its "${name}" cannot be read`);
    return field;
  };
  const list = <T>(name: string, is: (item: unknown) => item is T): readonly T[] =>
    read(name, (field): field is T[] => Array.isArray(field) && field.every(is));
  const isText = (field: unknown): field is string => typeof field === 'string';
  const isCount = (field: unknown): field is number => Number.isSafeInteger(field) && (field as number) >= 1;
  return {
    list,
    text: (name: string) => read(name, isText),
    texts: (name: string) => list(name, isText),
    count: (name: string) => read(name, isCount),
    flag: (name: string) => read(name, (field) => typeof field === 'boolean'),
    oneOf: <T>(name: string, known: readonly T[]) => read(name, (field): field is T => known.includes(field as T)),
    object: (name: string) => read(name, (field): field is Readonly<Record<string, Json>> => isRecord(field)),
    fields: (name: string) => fieldsOf(path, read(name, isRecord)),
  };
}
