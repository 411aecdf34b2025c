/* A header that is not named by its path. */
#include "run.h"
#include "start/start.h"
