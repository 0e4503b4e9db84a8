/** The campaign for GPUs, tried as far as any machine can: every stage at tiny sizes, each with its record. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StageRecord } from '../../bench/src/campaign/stage';
import { root, run, withTemporaryFolder } from './workspace';

const SECONDS = 600;
const STAGES = ['doctor', 'smoke', 'ceilings', 'products', 'step', 'profile', 'train', 'tests'];

export const checkCampaign = (): Promise<string[]> =>
  withTemporaryFolder(async (folder) => {
    const script = join(root, 'scripts/gpu-campaign.mjs');
    const args = [script, '--dry', '--precision', 'f16', '--out', folder, '--budget', String(SECONDS)];
    const { ok, output } = await run('node', args, { timeout: 1000 * (SECONDS + 20) });
    const records = readdirSync(folder).map(
      (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as StageRecord,
    );
    const problems = STAGES.flatMap((stage) =>
      problemsOf(
        records.find((record) => record.stage === stage),
        stage,
      ),
    );
    return ok && problems.length === 0 ? [] : [...problems, output.trim()];
  });

function problemsOf(record: StageRecord | undefined, stage: string): string[] {
  if (!record) return [`${stage} left no record`];
  const { status, error, figures, notes, dry } = record;
  if (status !== 'done') return [`${stage}: ${status}, ${error}`];
  if (!dry) return [`${stage} does not say that it was dry`];
  return figures.length + notes.length > 0 ? [] : [`${stage} says nothing`];
}
