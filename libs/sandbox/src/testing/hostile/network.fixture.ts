import type { HostileJob } from './hostile-job.fixture.ts';

const connect = (options: string): string =>
  `const s=require('node:net').connect(${options});` +
  `s.setTimeout(2000,()=>{console.log('silent');process.exit(1)});` +
  `s.on('connect',()=>{console.log('connected');process.exit(0)});s.on('error',(e)=>{console.log(e.code);process.exit(1)})`;

export const NETWORK: readonly HostileJob[] = [
  {
    name: "connects to the host's loopback",
    script: ({ node, port }) => `'${node}' -e "${connect(`{host:'127.0.0.1',port:${port}}`)}"`,
    ends: { exitCode: 1 },
    says: /ECONNREFUSED/,
  },
  {
    name: 'connects to the metadata address',
    script: ({ node }) => `'${node}' -e "${connect("{host:'169.254.169.254',port:80}")}"`,
    ends: { exitCode: 1 },
    says: /ENETUNREACH/,
    underOwnKernel: { says: /EHOSTUNREACH/ },
  },
  {
    name: 'connects to an abstract unix socket of the host',
    script: ({ node, abstractName }) => `'${node}' -e "${connect(`{path:'\\0${abstractName}'}`)}"`,
    ends: { exitCode: 1 },
    says: /ECONNREFUSED/,
  },
  {
    name: 'serves on every address, for nobody',
    script: ({ node }) =>
      `'${node}' -e "require('node:http').createServer().listen(8080,function(){console.log('served');this.close()})"`,
    ends: { exitCode: 0 },
    says: /served/,
  },
  {
    name: 'looks for sockets of the host',
    script: () =>
      "set +e; find / -path /proc -prune -o -type s -print 2>/dev/null; cat /proc/net/unix | awk 'NR > 1 && $NF ~ /^[@\\/]/'; echo done",
    ends: { exitCode: 0 },
    says: /^done\n$/,
  },
];
