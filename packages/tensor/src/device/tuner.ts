/**
 * Chooses kernel variants. Before a step is planned, every op in it that has variants is looked up: in what is pinned or was chosen before, in
 * the cache, in the tables of the package. What is missing is measured, as long as the time for it lasts, those first that take most of the
 * step; the rest is the default. On a GPU only the candidates of the op's model are measured, on inputs of its own shapes, and as
 * variants differ in the order of their sums, a choice is kept, or else results would change in their last bits from run to run. On a
 * software adapter one choice, among variants of the same bits, serves every size (see `measure-in-turn.ts`).
 */
import { TensorError } from '../base/errors';
import type { Target } from '../base/target';
import type { GraphNode, Variants } from '../graph/op';
import { storeRoot } from '../kernels/elementwise-program';
import type { Plan } from '../plan/plan-types';
import type { Gpu } from './gpu';
import { fastestOnAll } from './measure-in-turn';
import { measureVariants, type VariantTime } from './measure-variants';
import type { ChoiceOrigin, MadeChoice, TuningReport } from './tuning';

/** The variants of a node's op on a target, if there is a choice. */
export function variantsOf(
  { op, inputs, outputs, attrs }: Omit<GraphNode, 'id'>,
  target: Target,
): Variants | undefined {
  const variants = op.variants?.({ inputs, outputs, attrs, target, epilogue: storeRoot(outputs[0]!) });
  return variants && variants.names.length > 1 ? variants : undefined;
}

export interface Choice {
  readonly key: string;
  readonly variant: string;
  readonly candidates: readonly string[];
}

/** The kernel variants that a plan uses, and what else there was. */
export function chosenVariants({ nodes, target }: Plan): Choice[] {
  return choicesOf(nodes, target).map(({ variants: { key, names } }) => {
    const tuned = target.tuned[key];
    return { key, variant: tuned && names.includes(tuned) ? tuned : names[0]!, candidates: names };
  });
}

/** A choice that a step has. */
interface OpenChoice {
  readonly variants: Variants;
  /** The first node that has it, and how many there are. */
  readonly node: GraphNode;
  readonly count: number;
}

function choicesOf(nodes: readonly GraphNode[], target: Target): OpenChoice[] {
  const choices = new Map<string, OpenChoice>();
  for (const node of nodes) {
    const variants = variantsOf(node, target);
    if (!variants) continue;
    const known = choices.get(variants.key);
    choices.set(variants.key, known ? { ...known, count: known.count + 1 } : { variants, node, count: 1 });
  }
  return [...choices.values()];
}

export interface Tuned {
  /** The target with a choice for every op that has one. */
  readonly target: Target;
  readonly report: TuningReport;
}

/**
 * Makes every choice that `nodes` have on the device. Choices already in `target.tuned` stand.
 * @throws TensorError options where one of these names no kernel
 */
export async function tunedTarget(gpu: Gpu, nodes: readonly GraphNode[]): Promise<Tuned> {
  const { target, tuning } = gpu;
  const tuned: Record<string, string> = { ...target.tuned };
  const choices: Record<ChoiceOrigin, number> = { pinned: 0, table: 0, cache: 0, shipped: 0, measured: 0, default: 0 };
  const make = (key: string, { variant, origin }: MadeChoice): void => {
    tuned[key] = variant;
    choices[origin]++;
  };

  const open: OpenChoice[] = [];
  let lost = 0;
  for (const choice of choicesOf(nodes, target)) {
    const { key, names } = choice.variants;
    const before = tuning.made.get(key);
    if (before && !names.includes(before.variant)) lost++;
    const known = knownChoice(gpu, choice.variants);
    if (!known) {
      open.push(choice);
      continue;
    }
    tuning.made.set(key, known);
    // for an earlier step, not for this one
    make(key, known.origin === 'measured' ? { ...known, origin: 'cache' } : known);
  }
  const { made, ...report } = await choiceOfOpen(gpu, open);
  for (const [key, choice] of made) {
    tuning.made.set(key, choice);
    make(key, choice);
  }
  return { target: { ...target, tuned }, report: { choices, lost, ...report } };
}

interface Measured extends Pick<TuningReport, 'seconds' | 'unmeasured' | 'wrong'> {
  readonly made: ReadonlyMap<string, MadeChoice>;
}

/** Measures what no one knows as long as the time for it lasts, what takes most of the step first. */
async function choiceOfOpen(gpu: Gpu, open: readonly OpenChoice[]): Promise<Measured> {
  const { cache, seconds: limit } = gpu.tuning;
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1000;
  const made = new Map<string, MadeChoice>();
  const wrong: string[] = [];
  let unmeasured = 0;
  for (const { variants, node } of [...open].sort((one, other) => costOf(other) - costOf(one))) {
    const { key, names } = variants;
    made.set(key, { variant: names[0]!, origin: 'default' });
    if (cache && elapsed() >= limit) unmeasured++;
    else if (cache) {
      const found = await fastest(gpu, node, variants);
      wrong.push(...found.wrong.map((name) => `${key}: ${name}`));
      if (found.variant === undefined) continue;
      cache.set(key, found.variant);
      made.set(key, { variant: found.variant, origin: 'measured' });
    }
  }
  return { made, seconds: cache && open.length > 0 ? elapsed() : 0, unmeasured, wrong };
}

const costOf = ({ variants: { flops = 0 }, count }: OpenChoice): number => flops * count;

/** The first that knows a kernel which there is. */
function knownChoice({ target, tuning }: Gpu, { key, names }: Variants): MadeChoice | undefined {
  const pinned = target.tuned[key];
  if (pinned !== undefined) {
    if (names.includes(pinned)) return { variant: pinned, origin: 'pinned' };
    throw new TensorError(
      'options',
      `target.tuned says "${pinned}" for "${key}", and there is no such kernel; there are ${names.join(', ')}`,
    );
  }
  const made = tuning.made.get(key);
  if (made && names.includes(made.variant)) return made;
  const cached = tuning.cache?.get(key);
  if (cached !== undefined && names.includes(cached)) return { variant: cached, origin: 'cache' };
  const shipped = tuning.shipped[key];
  return shipped !== undefined && names.includes(shipped) ? { variant: shipped, origin: 'shipped' } : undefined;
}

/** What measuring came to: undefined where nothing could be measured. */
interface Fastest {
  readonly variant: string | undefined;
  /** Variants that computed something else. */
  readonly wrong: readonly string[];
}

async function fastest(gpu: Gpu, node: GraphNode, variants: Variants): Promise<Fastest> {
  const { names, candidates = names, reference, samples, element } = variants;
  if (samples) {
    const alone = samples.map((sample) => ({ ...sample, op: node.op }));
    return { variant: await fastestOnAll(gpu, alone, variants), wrong: [] };
  }
  const measuring = measureVariants(gpu, node, variants);
  const others = candidates.filter((name) => name !== reference);
  const times: VariantTime[] = [];
  const best = (): VariantTime | undefined => times.filter(isRight).sort((a, b) => a.seconds - b.seconds)[0];
  const time = async (name: string): Promise<void> => {
    times.push(await measuring.time(name, best()?.seconds));
  };
  // what the others must agree with comes first, unless they are checked by themselves
  if (!element) await time(reference);
  if (element || best()) for (const name of others) await time(name);
  if (element && !best()) await time(reference);
  return {
    variant: best()?.variant,
    wrong: times.flatMap(({ variant, agrees }) => (agrees === false ? [variant] : [])),
  };
}

const isRight = (time: VariantTime): time is VariantTime & { readonly seconds: number } =>
  time.seconds !== undefined && time.agrees !== false;
