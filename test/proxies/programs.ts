/** The proxies as Debian ships them: what has to be around each snippet so that it runs by itself, on ports of its own. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { readDeployed } from '../operations/deploy/pages.ts';

/** Of each snippet: where it has Roster listen. */
export const ROSTER = '127.0.0.1:3000';

/** What a proxy is started with: its own folder, ports of this machine, the certificate and its key, and both in one file. */
export type Place = { folder: string; http: number; https: number; cert: string; key: string; pem: string };

export type Program = {
  name: string;
  /** Debian's, of which the program is. */
  package: string;
  program: string;
  snippet: string;
  /** What a snippet becomes in a place: its ports and its certificate. */
  settle(snippet: string, place: Place): string;
  /** The whole configuration, by file, with the settled snippet. */
  files(settled: string, place: Place): Readonly<Record<string, string>>;
  args(folder: string): string[];
};

const isRoot = userInfo().uid === 0;

const nginx: Program = {
  name: 'nginx',
  package: 'nginx-light',
  program: 'nginx',
  snippet: readDeployed('nginx.conf'),
  settle: (snippet, { http, https, cert, key }) =>
    snippet
      .replace('listen 80;', `listen 127.0.0.1:${http};`)
      .replace('listen 443 ', `listen 127.0.0.1:${https} `)
      .replace('/etc/ssl/users.example.org.crt', cert)
      .replace('/etc/ssl/users.example.org.key', key),
  // With what stands in Debian's nginx.conf and matters here.
  files: (settled, { folder }) => ({
    'nginx.conf': `
      ${isRoot ? 'user root;' : ''}
      daemon off; worker_processes 2; pid ${folder}/pid; error_log stderr;
      events {}
      http {
        include /etc/nginx/mime.types;
        gzip on;
        access_log off;
        ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
        ${settled}
      }`,
  }),
  args: (folder) => ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'],
};

const caddy: Program = {
  name: 'Caddy',
  package: 'caddy',
  program: 'caddy',
  snippet: readDeployed('Caddyfile'),
  settle: (snippet, { cert, key }) =>
    snippet.replace('users.example.org {', `users.example.org {\n\tbind 127.0.0.1\n\ttls ${cert} ${key}`),
  files: (settled, { http, https }) => ({
    Caddyfile: `{\n\tadmin off\n\thttp_port ${http}\n\thttps_port ${https}\n\tskip_install_trust\n}\n${settled}`,
  }),
  args: (folder) => ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'],
};

const haproxy: Program = {
  name: 'HAProxy',
  package: 'haproxy',
  program: 'haproxy',
  snippet: readDeployed('haproxy.cfg'),
  settle: (snippet, { http, https, pem }) =>
    snippet
      .replace('bind :80', `bind 127.0.0.1:${http}`)
      .replace('bind :443', `bind 127.0.0.1:${https}`)
      .replace('/etc/haproxy/users.example.org.pem', pem),
  // The times are those of Debian's haproxy.cfg.
  files: (settled, { folder }) => ({
    'haproxy.cfg': `
global
  stats socket ${folder}/stats
defaults
  timeout connect 5000
  timeout client 50000
  timeout server 50000
${settled}`,
  }),
  args: (folder) => ['-db', '-f', join(folder, 'haproxy.cfg')],
};

const MODULES = [
  'mpm_event',
  'authz_core',
  'alias',
  'env',
  'filter',
  'deflate',
  'socache_shmcb',
  'ssl',
  'http2',
  'proxy',
  'proxy_http',
  'headers',
  'unique_id',
  'slotmem_shm',
  'proxy_balancer',
  'lbmethod_byrequests',
  'proxy_hcheck',
];

const apache: Program = {
  name: 'Apache',
  package: 'apache2',
  program: 'apache2',
  snippet: readDeployed('apache.conf'),
  settle: (snippet, { http, https, cert, key }) =>
    snippet
      .replace('*:80', `127.0.0.1:${http}`)
      .replace('*:443', `127.0.0.1:${https}`)
      .replace('/etc/ssl/users.example.org.crt', cert)
      .replace('/etc/ssl/users.example.org.key', key),
  files: (settled, { folder, http, https }) => ({
    'apache.conf': `
ServerRoot ${folder}
PidFile ${folder}/pid
DefaultRuntimeDir ${folder}
Mutex file:${folder}
ErrorLog ${folder}/log
ServerName localhost
${isRoot ? 'User www-data\nGroup www-data' : ''}
${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
Include /etc/apache2/mods-available/deflate.conf
Listen 127.0.0.1:${http}
Listen 127.0.0.1:${https}
${settled}`,
  }),
  args: (folder) => ['-D', 'FOREGROUND', '-f', join(folder, 'apache.conf')],
};

export const PROGRAMS = [nginx, caddy, haproxy, apache];
