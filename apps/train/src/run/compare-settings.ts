/**
 * A configuration against that of the steps so far. A run that is resumed keeps every setting that its numbers depend on; a fork may change them, and is told what
 * that does to the schedules; neither can become another model.
 */
import { existsSync } from 'node:fs';
import { schedules } from '@franca/pretraining';
import { asOverrides, changedSettings, describeChanges, keepsRun, type SettingChange } from '../config/changes';
import { deriveWhole } from '../config/derive';
import type { DerivedOptions, Machine } from '../config/derived-options';
import { type ResolvedConfig, resolveConfig } from '../config/load';
import type { TrainConfig } from '../config/train-config';
import { asTree, treeOf } from '../config/tree';
import { TrainError } from '../errors';
import { programCommand } from '../text/program';
import type { Continuation } from './continuation';

/** A command that begins another run where this one stands, with `words` changed. */
export function forkCommand(run: string, words: readonly string[]): string {
  let out = `${run}-fork`;
  for (let n = 2; existsSync(out); n++) out = `${run}-fork-${n}`;
  return programCommand(['pretrain', '--fork', run, '--out', out, ...words]);
}

/** @throws TrainError `config` where `now` would change the numbers of the run, with the command that forks it */
export function checkResume(
  { run, config, saved, checkpoint }: Continuation,
  { config: now, sources }: ResolvedConfig,
  { machine, own }: { machine: Machine; own: string },
): void {
  const changes = changedSettings(asTree(config), asTree(now)).filter(
    (change) => !keepsRun(change, config) && !saysNothing(change),
  );
  if (changes.length > 0) {
    refuseOtherModel(config, changes, machine);
    const edited = changes.filter(({ key }) => sources.get(key) === own);
    const back = edited.map(({ key, from, to }) => ({ key, from: to, to: from }));
    const undo = programCommand(['pretrain', '--resume', '--out', run, ...asOverrides(back)]);
    throw new TrainError(
      'config',
      `a run that is resumed keeps what its numbers depend on, and this is changed: ${describeChanges(changes)}; ` +
        `fork it to go on from step ${checkpoint.step} in a new folder: ${forkCommand(run, asOverrides(changes))}` +
        (edited.length > 0 ? `; ${own} was edited since, so this goes on as before: ${undo}` : ''),
    );
  }
  const { precision } = deriveWhole(now, machine);
  if (saved.made && saved.made.precision !== precision)
    throw new TrainError(
      'config',
      `the run computed in ${saved.made.precision}, which on this adapter would be ${precision}; set franca.precision=${saved.made.precision}, or fork it: ${forkCommand(run, [`franca.precision=${precision}`])}`,
    );
}

/** What changes with a fork, in words. @throws TrainError `config` where it would be another model or has no step left */
export function checkFork({ config, checkpoint, saved }: Continuation, now: TrainConfig, machine: Machine): string[] {
  const changes = changedSettings(asTree(config), asTree(now)).filter(
    (change) => !isPlace(change) && !saysNothing(change),
  );
  refuseOtherModel(config, changes, machine);
  const [before, after] = [deriveWhole(config, machine), deriveWhole(now, machine)];
  const { step } = checkpoint;
  if (step >= after.schedule.iterations)
    throw new TrainError(
      'config',
      `step ${step} is past the last of ${after.schedule.iterations}; give a larger optim.epochs, or an earlier step with --at`,
    );
  const precision = saved.made?.precision ?? before.precision;
  return [
    ...(changes.length > 0 ? [`changed: ${describeChanges(changes)}`] : []),
    ...(precision === after.precision ? [] : [`computes in ${after.precision} instead of ${precision}`]),
    ...INITIAL.filter((key) => changes.some((change) => change.key === key)).map(
      (key) => `without effect: ${key} is of initial weights, and these are trained`,
    ),
    ...scheduleChange(
      before,
      after,
      step,
      responsible(config, changes, machine, ({ schedule }) => schedule),
    ),
  ];
}

/** Settings of initial weights alone. */
const INITIAL = ['student.layerscale', 'franca.head_init_std', 'franca.vit.init_std'];

/** Where a run reads and writes is its own business. */
const isPlace = ({ key }: SettingChange): boolean => key === 'train.dataset_path' || key === 'train.output_dir';

const STARTING_WEIGHTS = 'student.pretrained_weights';

/** A preset names no weights, those of the run are its own. */
const saysNothing = ({ key, to }: SettingChange): boolean => key === STARTING_WEIGHTS && to === '""';

function refuseOtherModel(config: TrainConfig, changes: readonly SettingChange[], machine: Machine): void {
  const weights = changes.find(({ key }) => key === STARTING_WEIGHTS);
  if (weights)
    throw new TrainError(
      'config',
      `${STARTING_WEIGHTS} is ${weights.to}, and a run that goes on has weights; start a new run from those`,
    );
  const wanted = text(withChanges(config, changes), machine, modelOf);
  if (wanted === text(config, machine, modelOf)) return;
  throw new TrainError(
    'config',
    `${describeChanges(responsible(config, changes, machine, modelOf))} makes another model than that of the checkpoint; keep it, or start a new run`,
  );
}

/** What decides which tensors there are, and what they mean. */
function modelOf({ vit, heads }: DerivedOptions): unknown {
  const { imgSize: _, interpolateOffset: __, interpolateAntialias: ___, layerScale, ...body } = vit;
  const head = (config: DerivedOptions['heads']['dino'] | undefined) => config && { ...config, initStd: 0 };
  return { body, scaled: layerScale !== undefined, dino: head(heads.dino), ibot: head(heads.ibot) };
}

const withChanges = (config: TrainConfig, changes: readonly SettingChange[]): TrainConfig =>
  resolveConfig([
    { source: 'the run', settings: asTree(config) },
    ...changes.map(({ key, to }) => ({ source: key, settings: treeOf(key.split('.'), JSON.parse(to)) })),
  ]).config;

type Facet = (options: DerivedOptions) => unknown;

const text = (config: TrainConfig, machine: Machine, facet: Facet): string =>
  JSON.stringify(facet(deriveWhole(config, machine)));

/** The changes that make a difference to a facet by themselves; all of them where it is only together that they do. */
function responsible(
  config: TrainConfig,
  changes: readonly SettingChange[],
  machine: Machine,
  facet: Facet,
): readonly SettingChange[] {
  const before = text(config, machine, facet);
  const alone = changes.filter((change) => {
    try {
      return text(withChanges(config, [change]), machine, facet) !== before;
    } catch {
      // valid with the others only
      return true;
    }
  });
  return alone.length > 0 ? alone : changes;
}

const SCHEDULED = [
  ['learning rate', 'lr'],
  ['weight decay', 'weightDecay'],
  ['teacher momentum', 'momentum'],
  ['teacher temperature', 'teacherTemp'],
] as const;

/** How the scheduled values jump at the first step after `step`, and on account of what. */
function scheduleChange(
  before: DerivedOptions,
  now: DerivedOptions,
  step: number,
  because: readonly SettingChange[],
): string[] {
  if (JSON.stringify(before.schedule) === JSON.stringify(now.schedule)) return [];
  const [old, own] = [schedules(before.schedule)(step), schedules(now.schedule)(step)];
  const jumps = SCHEDULED.filter(([, key]) => old[key] !== own[key]).map(
    ([name, key]) => `${name} ${figure(old[key])} before, ${figure(own[key])} now`,
  );
  const factor = now.batch.total / before.batch.total;
  const scaled =
    factor === 1
      ? []
      : [
          `batch ${before.batch.total} -> ${now.batch.total} scales the base rate by sqrt(${Number(factor.toPrecision(3))})`,
        ];
  const ended = step >= before.schedule.iterations ? ['it had come to its end'] : [];
  const reasons = [describeChanges(because), ...scaled, ...ended].join('; ');
  return [
    `at step ${step + 1}: ${jumps.length > 0 ? jumps.join(', ') : 'schedules as before, they differ later'} (${reasons})`,
  ];
}

/** Three digits; small numbers as in the log. */
const figure = (value: number): string => (value < 0.01 ? value.toExponential(2) : value.toPrecision(3));
