/** Which weights a run starts from, and what becomes of its configuration then: the architecture is theirs, fresh heads learn on a frozen backbone first. */
import type { DerivedOptions } from '../config/derived-options';
import type { ResolvedConfig } from '../config/load';
import { presetNamed } from '../config/presets';
import type { TrainConfig } from '../config/train-config';
import { TrainError } from '../errors';
import type { TrainCommandOptions } from '../options/train-options';
import type { Continuation } from './continuation';
import { settingsOfWeights } from './settings-of-weights';
import { positionNote, startingModel } from './starting-weights';

/** The weights that a run starts from, if it does: a run that goes on has its own. */
export const startOf = (
  { student }: TrainConfig,
  origin: Continuation | undefined,
  { from }: Pick<TrainCommandOptions, 'from'>,
): string | undefined => from ?? (origin ? undefined : student.pretrained_weights || undefined);

/** The configuration with the architecture of the weights to start from; a run that goes on with its own configuration has it already. */
export async function withWeights(
  chosen: ResolvedConfig,
  from: string | undefined,
  found: Continuation | undefined,
  options: Pick<TrainCommandOptions, 'config'>,
): Promise<{ readonly resolved: ResolvedConfig; readonly notesFor: (derived: DerivedOptions) => readonly string[] }> {
  if (from === undefined || found?.isFork || (found && !options.config))
    return { resolved: chosen, notesFor: () => [] };
  const { config, sources } = chosen;
  const source = sources.get('franca.vit.num_heads');
  const said = source === undefined || presetNamed(source) ? null : config.franca.vit.num_heads;
  const model = await startingModel(from, { numHeads: said ?? undefined, carryHeads: config.franca.carry_heads });
  const { resolved, notes } = settingsOfWeights(chosen, model);
  const all = (derived: DerivedOptions) => [
    ...model.notes,
    ...notes,
    ...positionNote(model, derived.vit),
    ...frozen(derived),
  ];
  return { resolved, notesFor: (derived) => (found ? [] : all(derived)) };
}

function frozen({ schedule: { freezeBackbone, warmup, iterations } }: DerivedOptions): string[] {
  if (freezeBackbone === 0) return [];
  return [
    `the backbone is frozen for the first ${freezeBackbone} of ${iterations} steps, while heads learn; then its learning rate rises for ${warmup} steps`,
  ];
}

/** @throws TrainError `config` where a backbone that was never trained would be kept as it is */
export function refuseFrozenChance({ schedule: { freezeBackbone } }: DerivedOptions): void {
  if (freezeBackbone > 0)
    throw new TrainError(
      'config',
      `franca.freeze_backbone_epochs would keep a random backbone frozen for ${freezeBackbone} steps; name weights to start from with --from, or set it to 0`,
    );
}
