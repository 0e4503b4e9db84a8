#!/usr/bin/env -S npx tsx
/**
 * Two computers on this one, for as long as a command runs on the first: `npx tsx test/cluster/two-hosts.ts mpirun.openmpi --host alpha,beta -n 2 hostname`.
 * As root, on Linux.
 *
 * `alpha` and `beta` are network namespaces with host names of their own and a wire between them; they share this machine's files. What takes the
 * place of ssh stands in the environment, where Open MPI and MPICH (`mpiexec.mpich -hosts alpha,beta`) look for it. Pulling the wire:
 * `ip link set wire down`, run on alpha.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ended, output, stopped } from './processes';

const HOSTS = { alpha: '10.77.0.1', beta: '10.77.0.2' } as const;

/** A host: a process that holds its namespaces open. */
function startHost(name: string, names: string): ChildProcess {
  const setUp = `hostname ${name} && mount --bind ${names} /etc/hosts && ip link set lo up && exec sleep infinity`;
  return spawn('unshare', ['--net', '--uts', '--mount', 'sh', '-c', setUp], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The words that run a command on a host. */
const on = ({ pid }: ChildProcess): string[] => [
  'nsenter',
  '-t',
  `${pid}`,
  '--net',
  '--uts',
  '--mount',
  `--wd=${process.cwd()}`,
  '--',
];

async function run(words: readonly string[]): Promise<void> {
  const status = await ended(spawn(words[0]!, words.slice(1), { stdio: 'inherit' }));
  if (status !== 0) throw new Error(`${words.join(' ')} ended with status ${status}`);
}

async function main(command: readonly string[]): Promise<number> {
  if (command.length === 0)
    throw new Error('which command? two-hosts.ts mpirun.openmpi --host alpha,beta -n 2 hostname');
  const folder = mkdtempSync(join(tmpdir(), 'two-hosts-'));
  const names = join(folder, 'hosts');
  writeFileSync(names, `127.0.0.1 localhost\n${HOSTS.alpha} alpha\n${HOSTS.beta} beta\n`);
  const [alpha, beta] = [startHost('alpha', names), startHost('beta', names)];
  try {
    while ((await output('nsenter', [...on(beta).slice(1), 'hostname'])) !== 'beta') await sleep(50);
    while ((await output('nsenter', [...on(alpha).slice(1), 'hostname'])) !== 'alpha') await sleep(50);
    await run([...on(alpha), 'ip', 'link', 'add', 'wire', 'type', 'veth', 'peer', 'name', 'end']);
    await run([...on(alpha), 'ip', 'link', 'set', 'end', 'netns', `${beta.pid}`, 'name', 'wire']);
    for (const [host, address] of [
      [alpha, HOSTS.alpha],
      [beta, HOSTS.beta],
    ] as const) {
      await run([...on(host), 'ip', 'address', 'add', `${address}/24`, 'dev', 'wire']);
      await run([...on(host), 'ip', 'link', 'set', 'wire', 'up']);
    }
    const agent = join(folder, 'agent');
    const pids = `alpha) pid=${alpha.pid} ;; beta) pid=${beta.pid} ;; *) shift; continue ;;`;
    const find = `while true; do case $1 in ${pids} esac; break; done; shift`;
    writeFileSync(
      agent,
      `#!/bin/sh\n${find}\nexec nsenter -t $pid --net --uts --mount --wd=${process.cwd()} -- sh -c "$*"\n`,
    );
    chmodSync(agent, 0o755);
    const env = { ...process.env, OMPI_MCA_plm_rsh_agent: agent, HYDRA_LAUNCHER: 'ssh', HYDRA_LAUNCHER_EXEC: agent };
    const [program, ...args] = [...on(alpha), ...command];
    return await ended(spawn(program!, args, { env, stdio: 'inherit' }));
  } finally {
    await Promise.all([stopped(alpha), stopped(beta)]);
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
