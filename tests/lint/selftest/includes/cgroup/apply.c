/* A layer beside it, a layer above it, and the layer's header too late. */
#include "netns/netns.h"
#include "state/state.h"
#include "cgroup/cgroup.h"
