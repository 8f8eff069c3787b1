/**
 * The half of gRPC that a client needs, from the package's own modules: its index also loads a server, load balancers
 * and channelz, which a sidecar would hold for nothing. These are no public names, but the package's version is pinned.
 */

// Its modules import each other in a circle, which has to be entered here, as the index does.
import '@grpc/grpc-js/build/src/channel.js';
import { setup as setUpPickFirst } from '@grpc/grpc-js/build/src/load-balancer-pick-first.js';
import { setup as setUpDns } from '@grpc/grpc-js/build/src/resolver-dns.js';
import { setup as setUpIp } from '@grpc/grpc-js/build/src/resolver-ip.js';
import { setup as setUpUnixSocket } from '@grpc/grpc-js/build/src/resolver-uds.js';

export type { ClientUnaryCall, ServiceError } from '@grpc/grpc-js/build/src/call.js';
export { ChannelCredentials } from '@grpc/grpc-js/build/src/channel-credentials.js';
export { Client } from '@grpc/grpc-js/build/src/client.js';
export { Status } from '@grpc/grpc-js/build/src/constants.js';
export { Metadata } from '@grpc/grpc-js/build/src/metadata.js';

setUpDns();
setUpUnixSocket();
setUpIp();
setUpPickFirst();
