/** Who may ask while there is no administrator: whoever sits at this machine. */
import type { FastifyRequest } from 'fastify';
import { canonicalAddress } from '../http/client-address.ts';
import { hostnameOf } from '../http/host.ts';
import { isLoopback } from '../settings.ts';

const PROXY_HEADERS =
  /^(via|(x[-_])?forwarded.*|x-real-ip|.*client-ip.*|x-original-.*|x-envoy-.*|x-amzn-.*|x-azure-.*|cf-.*|fly-.*|cdn-loop)$/;

export function isFromElsewhere({ socket, headers, raw: { httpVersion } }: FastifyRequest): boolean {
  const { host = '', origin = `http://${host}` } = headers;
  return (
    !isLoopback(canonicalAddress(socket.remoteAddress)) ||
    !isLoopback(hostnameOf(host)) ||
    origin !== `http://${host}` ||
    httpVersion === '1.0' ||
    Object.keys(headers).some((name) => PROXY_HEADERS.test(name))
  );
}
