#!/usr/bin/env -S npx tsx
/**
 * A Slurm of one node on this machine, for as long as a command runs: `npx tsx test/cluster/one-node-slurm.ts srun -n 2 hostname`. As root, from
 * Debian's packages (`slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge`, and `libpmix-dev`, without which `--mpi=pmix` is not there).
 *
 * munged, slurmctld and slurmd are children of this process and write into a folder of their own, which goes with them. No systemd, no cgroups, no
 * accounting: processes are found by their parents (`proctrack/linuxproc`). The node claims 4 CPUs,
 * however many there are, and 4 GPUs, which are empty files.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ended, output, stopped } from './processes';

/** A Slurm that takes jobs. */
export interface Slurm extends AsyncDisposable {
  /** The environment in which `srun`, `sbatch` and the others find it. */
  readonly env: NodeJS.ProcessEnv;
}

/** `settings`: further lines of slurm.conf. Rejects with the end of the logs where the node does not become idle within 30 seconds. */
export async function startSlurm(settings: readonly string[] = []): Promise<Slurm> {
  const folder = mkdtempSync(join(tmpdir(), 'slurm-'));
  for (const name of ['munge', 'state', 'spool']) mkdirSync(join(folder, name), { mode: 0o711 });
  chmodSync(folder, 0o755);
  const key = join(folder, 'munge/key');
  writeFileSync(key, randomBytes(128), { mode: 0o400 });
  const configuration = join(folder, 'slurm.conf');
  writeFileSync(configuration, await slurmConf(folder, settings));
  for (const gpu of [0, 1, 2, 3]) writeFileSync(join(folder, `gpu${gpu}`), '');
  writeFileSync(join(folder, 'gres.conf'), `Name=gpu File=${folder}/gpu[0-3]\n`);
  const env = { ...process.env, SLURM_CONF: configuration };

  const log = openSync(join(folder, 'log'), 'a');
  const start = (program: string, args: string[]) => spawn(program, args, { env, stdio: ['ignore', log, log] });
  const munge = ['socket', 'pid-file', 'seed-file'].map((file) => `--${file}=${join(folder, 'munge', file)}`);
  const daemons = [start('munged', ['--foreground', '--force', `--key-file=${key}`, ...munge])];
  await sleep(500);
  daemons.push(start('slurmctld', ['-D']), start('slurmd', ['-D']));
  const stop = async (): Promise<void> => {
    await output('scancel', ['--user=root', '--full', '--signal=KILL'], env);
    for (let tries = 0; tries < 50 && (await output('squeue', ['-h'], env)); tries++) await sleep(200);
    for (const daemon of daemons.reverse()) await stopped(daemon);
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 150; tries++) {
    if ((await output('sinfo', ['-h', '-o', '%T'], env)) === 'idle') return { env, [Symbol.asyncDispose]: stop };
    await sleep(200);
  }
  const end = readFileSync(join(folder, 'log'), 'utf8').split('\n').slice(-30).join('\n');
  await stop();
  throw new Error(`Slurm's node did not become idle within 30 seconds:\n${end}`);
}

async function slurmConf(folder: string, settings: readonly string[]): Promise<string> {
  const host = hostname();
  return [
    'ClusterName=one',
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${await freePort()}`,
    `SlurmdPort=${await freePort()}`,
    'SlurmUser=root',
    `AuthInfo=socket=${join(folder, 'munge/socket')}`,
    `StateSaveLocation=${join(folder, 'state')}`,
    `SlurmdSpoolDir=${join(folder, 'spool')}`,
    `SlurmctldPidFile=${join(folder, 'slurmctld.pid')}`,
    `SlurmdPidFile=${join(folder, 'slurmd.pid')}`,
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SwitchType=switch/none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_CPU',
    'SlurmdParameters=config_overrides',
    'ReturnToService=2',
    'GresTypes=gpu',
    ...settings,
    `NodeName=${host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000 Gres=gpu:4`,
    `PartitionName=all Nodes=${host} Default=YES`,
    '',
  ].join('\n');
}

/** A port that nothing listens on. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function main([program, ...args]: string[]): Promise<number> {
  if (!program) throw new Error('which command? one-node-slurm.ts srun -n 2 hostname');
  await using slurm = await startSlurm();
  const command = spawn(program, args, { env: slurm.env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => command.kill(signal));
  return await ended(command);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = await main(process.argv.slice(2));
