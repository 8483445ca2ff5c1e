/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * The way of a benchmark guest into 64-bit user mode, where even a KVM that
 * emulates the kernel mode runs it at the processor's own speed: an ELF file
 * with a PVH note, identity pages of 2 MiB for the first 4 GiB, open to the
 * user mode. Ports are not open to it everywhere: guest_gate() asks the kernel
 * mode by a fault, as a HLT is one.
 */
#define COM1       0x3f8
#define EXIT_PORT  0xf4
#define KERNEL_CS  0x08
#define KERNEL_DS  0x10
#define USER_DS    0x1b
#define USER_CS    0x23
#define TASK       0x28
#define GATE       0x8e00 /* of interrupts, present */
#define VECTORS    32
#define GP_VECTOR  13

#define CR0_PG_PE_NE 0x80000021
#define CR4_PAE      0x20
#define EFER         0xc0000080
#define EFER_LME     0x100
#define USER_PAGE    0x07 /* present, writable, the user's */
#define LARGE_PAGE   0x87
#define RFLAGS       0x02

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18
    .asciz "Xen"
    .long _start

/* --- tables --------------------------------------------------------------- */
    .data
    .balign 4096
pml4:
    .quad pdpt + USER_PAGE
    .fill 511, 8, 0
pdpt:
    .set i, 0
    .rept 4
    .quad directories + i * 4096 + USER_PAGE
    .set i, i + 1
    .endr
    .fill 508, 8, 0
directories:
    .set i, 0
    .rept 2048
    .quad i * 0x200000 + LARGE_PAGE
    .set i, i + 1
    .endr

gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* the kernel's code */
    .quad 0x00cf93000000ffff
    .quad 0x00cff3000000ffff /* the user's data */
    .quad 0x00affb000000ffff
    .quad 0x0000890000000067 /* the task; its address comes in later */
    .quad 0
gdtr:
    .word gdtr - gdt - 1
    .long gdt
idtr:
    .word VECTORS * 16 - 1
    .quad idt
    .balign 16
task:
    .long 0
    .quad kernel_stack
    .fill 11, 8, 0
    .long 104 << 16 /* no bitmap of ports */

    .bss
    .balign 16
idt:
    .skip VECTORS * 16
    .skip 4096
kernel_stack:
    .skip 16384
user_stack:
    .globl guest_start_info
guest_start_info:
    .skip 8

/* --- into long mode ------------------------------------------------------- */
    .text
    .code32
    .globl _start
_start:
    cli
    mov %ebx, guest_start_info
    lgdt gdtr
    mov $pml4, %eax
    mov %eax, %cr3
    mov $CR4_PAE, %eax
    mov %eax, %cr4
    mov $EFER, %ecx
    rdmsr
    or $EFER_LME, %eax
    wrmsr
    mov $CR0_PG_PE_NE, %eax
    mov %eax, %cr0
    ljmp $KERNEL_CS, $long_mode

    .code64
long_mode:
    mov $KERNEL_DS, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $kernel_stack, %rsp
    mov $task, %eax
    mov %ax, gdt + TASK + 2
    shr $16, %eax
    mov %al, gdt + TASK + 4
    mov $TASK, %eax
    ltr %ax
    mov $idt, %edi
    mov $faults, %eax
    mov $VECTORS, %ecx
1:  mov %ax, (%rdi)
    movw $KERNEL_CS, 2(%rdi)
    movw $GATE, 4(%rdi)
    mov %eax, %edx
    shr $16, %edx
    mov %dx, 6(%rdi)
    add $8, %eax
    add $16, %rdi
    dec %ecx
    jnz 1b
    mov $gate, %eax /* as near as the others */
    mov %ax, idt + GP_VECTOR * 16
    lidt idtr
    pushq $USER_DS
    pushq $user_stack
    pushq $RFLAGS
    pushq $USER_CS
    pushq $user_mode
    iretq

user_mode:
    xor %ebp, %ebp
    call guest_main
    mov %eax, %edx
    mov $EXIT_PORT, %esi
    xor %edi, %edi
    call guest_gate
2:  pause
    jmp 2b

/* --- ports ---------------------------------------------------------------- */
/* uint32_t guest_gate(unsigned how, uint16_t port, uint32_t value) */
    .globl guest_gate
guest_gate:
    mov %edx, %eax
    mov %esi, %edx
    hlt
    ret

/* After a HLT of user mode: %edi, %edx and %eax as guest_gate() set them. */
    .balign 8
gate:
    add $8, %rsp /* the error code */
    mov (%rsp), %rsi
    cmpb $0xf4, (%rsi)
    jne fault
    incq (%rsp)
    cmp $1, %edi
    jb 1f
    je 2f
    in %dx, %eax
    iretq
1:  out %al, %dx
    iretq
2:  out %eax, %dx
    iretq

    .balign 8
faults:
    .rept VECTORS
    .balign 8
    jmp fault
    .endr
fault:
    mov $COM1, %dx
    mov $'!', %al
    out %al, %dx
    mov $'\n', %al
    out %al, %dx
    mov $EXIT_PORT, %dx
    mov $0x7f, %al
    out %al, %dx
3:  hlt
    jmp 3b

    .section .note.GNU-stack, "", @progbits
