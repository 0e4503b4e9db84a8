/**
 * Which output of a model is CLS and which are the patches, told by names that are in use and by the shapes of one picture and of one twice as wide.
 *
 * Tokens [B, P + N, D] are those of a transformer: a picture twice as wide has N more of them, so that N, the patch size and the P tokens before the patches (CLS,
 * registers) follow; where the input has one size only, a patch size has to fit. Maps [B, D, rows, columns] are those of a convolutional net. Vectors
 * [B, D] are CLS. What may be read in two ways is refused with what there is.
 */
import { OnnxError } from '../errors';

/** An output of the run on one picture; extents begin with its batch of 1. */
export interface ProbedOutput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data?: ArrayLike<number>;
}

/** Outputs by name. With one of them given, the others are not looked for. */
export interface OutputNames {
  readonly cls?: string;
  readonly patches?: string;
}

export interface FoundOutputs {
  /** `vector`: an output of its own; `token`: the first one of the tokens; `mean`: the mean of the patches, where there is nothing else. */
  readonly cls: { readonly kind: 'vector' | 'token' | 'mean'; readonly name: string };
  readonly patches: FoundPatches | undefined;
  /** Width D of both. */
  readonly dim: number;
  /** What was chosen where there was a choice, in words. */
  readonly notes: readonly string[];
}

export interface FoundPatches {
  readonly kind: 'tokens' | 'maps';
  readonly name: string;
  /** Tokens before the patches. */
  readonly prefix: number;
  /** Side of a patch in pixels; of maps, that of one of their places. */
  readonly patchSize: number;
}

export interface Probed {
  /** Side of the square picture in pixels. */
  readonly side: number;
  readonly square: readonly ProbedOutput[];
  /** The same of a picture twice as wide; undefined where the model takes none. */
  readonly wide: readonly ProbedOutput[] | undefined;
}

export interface KnownOutputs {
  readonly outputs?: OutputNames | undefined;
  /** Side of a patch, said by the user: it has to fit. */
  readonly patchSize?: number | undefined;
  /** The same as a configuration beside the file has it: it decides where several fit. */
  readonly usualPatchSize?: number | undefined;
}

/** The preferred one first. */
const PATCH_NAMES = ['patch_tokens', 'x_norm_patchtokens', 'last_hidden_state'];
const CLS_NAMES = ['x_norm_clstoken', 'cls_token', 'pooler_output', 'image_embeds', 'image_embedding', 'pooled_output'];
/** Class scores, which are no features. */
const SCORES = ['logits', 'probabilities', 'probs'];
/** CLS, a distillation token and registers are this many at most. */
const MOST_PREFIX = 17;

/** @throws OnnxError `outputs` where they cannot be told, with their shapes and how to name them */
export function findOutputs(probed: Probed, known: KnownOutputs = {}): FoundOutputs {
  const { outputs: named = {} } = known;
  const given = [named.cls, named.patches].filter((name) => name !== undefined);
  const wrong = given.find((name) => !probed.square.some((output) => output.name === name));
  if (wrong !== undefined) throw refusal(probed, `there is no output ${wrong}`);
  const candidates = given.length > 0 ? probed.square.filter(({ name }) => given.includes(name)) : probed.square;
  const patches = choosePatches(probed, candidates, known);
  const cls = chooseCls(probed, candidates, patches, named);
  const dim = cls.dim;
  if (patches && patches.dim !== dim)
    throw refusal(
      probed,
      `CLS and patches are to be equally wide; ${cls.name} is ${dim}, ${patches.name} ${patches.dim}`,
    );
  return {
    cls: { kind: cls.kind, name: cls.name },
    patches: patches && {
      kind: patches.kind,
      name: patches.name,
      prefix: patches.prefix,
      patchSize: patches.patchSize,
    },
    dim,
    notes: cls.notes,
  };
}

type Kind = 'vector' | 'tokens' | 'maps' | 'other';

/** [B, D], also with extents of 1 behind or between. */
function kindOf({ shape }: ProbedOutput): Kind {
  const [, ...each] = shape;
  if (each.length === 1 || (each.length > 1 && each.filter((extent) => extent !== 1).length === 1)) return 'vector';
  if (each.length === 2) return 'tokens';
  return each.length === 3 ? 'maps' : 'other';
}

/** Width D of an output. */
const widthOf = (output: ProbedOutput): number => {
  const kind = kindOf(output);
  if (kind === 'vector') return output.shape.reduce((product, extent) => product * extent, 1);
  return kind === 'maps' ? output.shape[1]! : output.shape.at(-1)!;
};

interface SizedPatches extends FoundPatches {
  readonly dim: number;
}

function choosePatches(
  probed: Probed,
  candidates: readonly ProbedOutput[],
  { outputs: named = {}, patchSize, usualPatchSize }: KnownOutputs,
): SizedPatches | undefined {
  const dense = candidates.filter((output) => ['tokens', 'maps'].includes(kindOf(output)));
  // a CLS that was named out of tokens has their patches beside it
  const name = named.patches ?? PATCH_NAMES.find((known) => dense.some((output) => output.name === known));
  const chosen = candidates.find((output) => output.name === name) ?? (dense.length === 1 ? dense[0] : undefined);
  if (!chosen) {
    if (dense.length > 1) throw refusal(probed, 'which of several outputs are the patches cannot be told');
    return undefined;
  }
  const kind = kindOf(chosen);
  if (kind !== 'tokens' && kind !== 'maps')
    throw refusal(probed, `${chosen.name} is neither tokens [B, P + N, D] nor maps [B, D, rows, columns]`);
  const wide = probed.wide?.find((output) => output.name === chosen.name);
  const fits = kind === 'maps' ? mapFits(probed.side, chosen, wide) : tokenFits(probed.side, chosen, wide);
  const fit = chooseFit(fits, { patchSize, usualPatchSize });
  if (!fit) throw refusal(probed, whyNone(probed.side, chosen, fits, patchSize));
  return { kind, name: chosen.name, dim: widthOf(chosen), ...fit };
}

type Fit = Pick<FoundPatches, 'prefix' | 'patchSize'>;

const chooseFit = (
  fits: readonly Fit[],
  { patchSize, usualPatchSize }: Pick<KnownOutputs, 'patchSize' | 'usualPatchSize'>,
): Fit | undefined => {
  if (patchSize !== undefined) return fits.find((fit) => fit.patchSize === patchSize);
  return fits.length > 1 ? fits.find((fit) => fit.patchSize === usualPatchSize) : fits[0];
};

function whyNone(side: number, { name }: ProbedOutput, fits: readonly Fit[], asked: number | undefined): string {
  const sizes = fits.map(({ patchSize, prefix }) => `${patchSize} px (${counted(prefix, 'token')} before them)`);
  if (asked !== undefined)
    return `patches of ${asked} px do not fit ${name} at ${side} px; ${sizes.length > 0 ? `${sizes.join(' or ')} would` : 'none would'}`;
  if (fits.length === 0) return `${name} has no square grid of patches at ${side} px`;
  return `${name} at ${side} px may have patches of ${sizes.join(' or ')}: say which`;
}

/** Patch sizes that the numbers of tokens allow. */
function tokenFits(side: number, { shape }: ProbedOutput, wide: ProbedOutput | undefined): Fit[] {
  const tokens = shape[1]!;
  const fits: Fit[] = [];
  for (let grid = 2; grid <= side; grid++) {
    const prefix = tokens - grid * grid;
    const isFit = side % grid === 0 && prefix >= 0 && prefix <= MOST_PREFIX;
    if (isFit && (!wide || wide.shape[1]! - tokens === grid * grid)) fits.push({ prefix, patchSize: side / grid });
  }
  return fits;
}

/** Rows and columns of a square, and twice as many columns of the wide picture. */
function mapFits(side: number, { shape }: ProbedOutput, wide: ProbedOutput | undefined): Fit[] {
  const [, , rows, columns] = shape as readonly [number, number, number, number];
  const isFit = rows === columns && side % rows === 0 && (!wide || wide.shape[3] === 2 * columns);
  return isFit ? [{ prefix: 0, patchSize: side / rows }] : [];
}

interface ChosenCls {
  readonly kind: FoundOutputs['cls']['kind'];
  readonly name: string;
  readonly dim: number;
  readonly notes: readonly string[];
}

function chooseCls(
  probed: Probed,
  candidates: readonly ProbedOutput[],
  patches: SizedPatches | undefined,
  named: OutputNames,
): ChosenCls {
  const inside = patches && clsOfPatches(patches);
  if (named.cls !== undefined) return namedCls(probed, named.cls, inside);
  if (inside && named.patches !== undefined) return inside;
  const vectors = candidates.filter(
    (output) => kindOf(output) === 'vector' && (!patches || widthOf(output) === patches.dim),
  );
  const known = CLS_NAMES.map((name) => vectors.find((output) => output.name === name)).find(Boolean);
  if (known && inside?.kind === 'token' && isTanhPooler(known, tokenIn(probed, inside.name)))
    return {
      ...inside,
      notes: [
        `${known.name} is left out: it lies within -1 and 1, as the tanh of a pooler does, and is not the first token (cls=${known.name} takes it)`,
      ],
    };
  if (known) return { kind: 'vector', name: known.name, dim: widthOf(known), notes: [] };
  const features = vectors.filter(({ name }) => !SCORES.includes(name));
  if (features.length === 1 && inside?.kind !== 'token')
    return { kind: 'vector', name: features[0]!.name, dim: widthOf(features[0]!), notes: [] };
  if (features.length > 0) throw refusal(probed, 'which output is CLS cannot be told');
  if (inside) return inside;
  throw refusal(probed, vectors.length > 0 ? 'class scores are no features' : 'no output is CLS or patches');
}

/** The first token where there are some before the patches, else their mean. */
const clsOfPatches = ({ name, prefix, dim }: SizedPatches): ChosenCls =>
  prefix > 0
    ? { kind: 'token', name, dim, notes: [] }
    : { kind: 'mean', name, dim, notes: ['there is no CLS: the mean of the patches stands for it'] };

function namedCls(probed: Probed, name: string, inside: ChosenCls | undefined): ChosenCls {
  const output = probed.square.find((one) => one.name === name)!;
  if (kindOf(output) === 'vector') return { kind: 'vector', name, dim: widthOf(output), notes: [] };
  if (inside?.name === name) return inside;
  throw refusal(
    probed,
    `${name} is no vector [B, D]; the first token of an output is CLS where its patches are taken too`,
  );
}

const tokenIn = ({ square }: Probed, name: string): ProbedOutput => square.find((output) => output.name === name)!;

/** Whether a pooled output is another thing than the first token, with a tanh behind it, as in BERT; in published vision transformers it is often untrained. */
function isTanhPooler({ data: pooled }: ProbedOutput, { data: tokens, shape }: ProbedOutput): boolean {
  if (!pooled || !tokens) return false;
  const first = Array.from({ length: shape.at(-1)! }, (_, i) => Math.abs(tokens[i]!));
  return first.every((_, i) => Math.abs(pooled[i]!) <= 1) && first.some((value) => value > 1);
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** An error that lists the outputs and says how to name them. */
function refusal({ square, side }: Probed, problem: string): OnnxError {
  const list = square.map(({ name, shape }) => `${name} [${['B', ...shape.slice(1)].join(', ')}]`).join(', ');
  return new OnnxError(
    'outputs',
    `${problem}; at ${side} x ${side} pixels the outputs are ${list}; name what is meant by the options outputs { cls, patches } and patchSize`,
  );
}
