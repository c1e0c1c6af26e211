#include <errno.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gen/calls_seccomp.h"
#include "sandbox/parts.h"

/*
 * What no build or test needs and where kernels had their holes: debugging others, key rings, BPF,
 * mounting, namespaces, modules, clocks, io_uring. Names that this kernel or library does not know
 * are left out.
 */
static const char *const denied[] = {
    "acct",
    "add_key",
    "adjtimex",
    "bpf",
    "chroot",
    "clock_adjtime",
    "clock_settime",
    "delete_module",
    "fanotify_init",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mount",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "name_to_handle_at",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pidfd_getfd",
    "pivot_root",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "reboot",
    "request_key",
    "setns",
    "settimeofday",
    "swapoff",
    "swapon",
    "syslog",
    "umount2",
    "unshare",
    "uselib",
    "userfaultfd",
    "vhangup",
    "vm86",
    "vm86old",
};

static int deny_names(scmp_filter_ctx filter)
{
    int rc = 0;
    for (size_t i = 0; i < WPA_COUNT(denied) && rc == 0; i++) {
        int number = seccomp_syscall_resolve_name(denied[i]);
        rc = number < 0 ? 0 : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
    }
    return rc;
}

/* SCMP_A0 leaves a member out, which clang refuses. */
static struct scmp_arg_cmp compare_first(enum scmp_compare how, scmp_datum_t with)
{
    return (struct scmp_arg_cmp){.arg = 0, .op = how, .datum_a = with, .datum_b = 0};
}

/** Only local, IPv4, IPv6 and (for address look-up) netlink sockets. */
static int deny_sockets(scmp_filter_ctx filter)
{
    int rc = 0;
    for (int family = 0; family <= AF_NETLINK && rc == 0; family++) {
        if (family != AF_UNIX && family != AF_INET && family != AF_INET6 && family != AF_NETLINK) {
            rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                                  compare_first(SCMP_CMP_EQ, (scmp_datum_t)family));
        }
    }
    return rc ? rc
              : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                                 compare_first(SCMP_CMP_GT, AF_NETLINK));
}

static int deny_special(scmp_filter_ctx filter)
{
    /* Masked to 32 bits: the kernel ignores the upper half of the request number. */
    int rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                              SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffU, TIOCSTI));
    if (rc == 0) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER));
    }
    /* clone3 hides its flags in memory; "not there" makes libc fall back to clone. */
    return rc ? rc : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

int sandbox_seccomp_open(wpa_error *err)
{
    if (!wpa_seccomp_open(err)) {
        return -1;
    }
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int fd = memfd_create("wpa-seccomp", MFD_CLOEXEC);
    int rc = filter && fd >= 0 ? deny_names(filter) : -ENOMEM;
    rc = rc ? rc : deny_sockets(filter);
    rc = rc ? rc : deny_special(filter);
    rc = rc ? rc : seccomp_export_bpf(filter, fd);
    if (filter) {
        seccomp_release(filter);
    }
    if (rc != 0 || lseek(fd, 0, SEEK_SET) != 0) {
        WPA_FAIL(err, WPA_E_UNAVAILABLE, "system-call filter: %s", wpa_strerror(-rc));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}
