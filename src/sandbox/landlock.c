#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's numbers, stated here because headers are older than kernels. */

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

struct ruleset {
    uint64_t files;
    uint64_t network; /* ABI 4 */
    uint64_t scopes;  /* ABI 6 */
};

struct path_rule {
    uint64_t allowed;
    int32_t folder;
} __attribute__((packed));

enum {
    FILE_EXECUTE = 1 << 0,
    FILE_WRITE = 1 << 1,
    FILE_READ = 1 << 2,
    FOLDER_READ = 1 << 3,
    FILES_ABI_1 = (1 << 13) - 1,
    FILE_REFER = 1 << 13,     /* ABI 2 */
    FILE_TRUNCATE = 1 << 14,  /* ABI 3 */
    FILE_IOCTL_DEV = 1 << 15, /* ABI 5 */
    MAKE_DEVICE = 1 << 6 | 1 << 11,
    RIGHTS_READ = FILE_EXECUTE | FILE_READ | FOLDER_READ,
    RIGHTS_OF_A_FILE = FILE_EXECUTE | FILE_WRITE | FILE_READ | FILE_TRUNCATE | FILE_IOCTL_DEV,
    NETWORK_TCP = 3,
    SCOPE_SOCKETS_AND_SIGNALS = 3,
    RULE_PATH = 1,
};

int landlock_abi(void)
{
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1U);
    return abi > 0 ? (int)abi : 0;
}

static uint64_t files_handled(int abi)
{
    uint64_t handled = FILES_ABI_1;
    if (abi >= 2) handled |= FILE_REFER;
    if (abi >= 3) handled |= FILE_TRUNCATE;
    if (abi >= 5) handled |= FILE_IOCTL_DEV;
    return handled;
}

static int path_allow(int ruleset, const char *path, bool writable, uint64_t handled)
{
    struct stat info;
    const int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT && !writable ? 0 : errno;

    struct path_rule rule = {.folder = fd,
                             .allowed = writable ? handled & ~(uint64_t)MAKE_DEVICE : RIGHTS_READ};
    int failed = fstat(fd, &info) != 0 ? errno : 0;
    if (!failed && !S_ISDIR(info.st_mode)) rule.allowed &= RIGHTS_OF_A_FILE & handled;
    if (!failed && syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0U) != 0)
        failed = errno;
    close(fd);
    return failed;
}

int landlock_apply(const char *const *path, const bool *writable, int n, bool mandatory)
{
    const int abi = landlock_abi();
    if (abi == 0) return mandatory ? ENOSYS : 0;
    if (n == 0 && !mandatory) return 0;

    struct ruleset ruleset = {.files = files_handled(abi)};
    if (abi >= 4) ruleset.network = NETWORK_TCP;
    if (abi >= 6) ruleset.scopes = SCOPE_SOCKETS_AND_SIGNALS;
    const size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;

    const int fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0U);
    if (fd < 0) return errno;
    int failed = 0;
    for (int i = 0; !failed && i < n; i++)
        failed = path_allow(fd, path[i], writable[i], ruleset.files);
    if (!failed && syscall(SYS_landlock_restrict_self, fd, 0U) != 0) failed = errno;
    close(fd);
    return failed;
}
